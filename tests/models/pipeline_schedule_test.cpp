#include "models/pipeline_schedule.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <tuple>

using namespace stepcast;

namespace {

using Key = std::tuple<bool, int, int>;  // forward, micro-batch, virtual stage

// When a schedule ends if a forward pass takes 1, a backward pass 2 and a message nothing.
class UniformPipeline {
 public:
  UniformPipeline(Schedule schedule, const PipelineShape& shape) : shape_(shape) {
    for (int stage = 0; stage < shape.stages; ++stage) {
      slots_.push_back(stage_slots(schedule, shape, stage));
    }
    next_.resize(slots_.size());
    free_at_.resize(slots_.size());
  }

  int run() {
    for (bool moved = true; moved;) {
      moved = false;
      for (int stage = 0; stage < shape_.stages; ++stage) moved = advance(stage) || moved;
    }
    for (std::size_t s = 0; s < slots_.size(); ++s) REQUIRE(next_[s] == slots_[s].size());
    return *std::max_element(free_at_.begin(), free_at_.end());
  }

 private:
  // Runs the stage's next slot if what it waits for has ended.
  bool advance(int stage) {
    const auto s = static_cast<std::size_t>(stage);
    if (next_[s] == slots_[s].size()) return false;
    const Slot& slot = slots_[s][next_[s]];
    const bool forward = slot.pass == Pass::Forward;
    const int place = slot.chunk * shape_.stages + stage;
    const bool first = place == 0;
    const bool last = place == shape_.stages * shape_.chunks - 1;
    int ready = 0;
    if (!(forward && first)) {
      const Key before = forward ? Key{true, slot.micro_batch, place - 1}
                                 : Key{last, slot.micro_batch, last ? place : place + 1};
      const auto found = ends_.find(before);
      if (found == ends_.end()) return false;
      ready = found->second;
    }
    free_at_[s] = std::max(free_at_[s], ready) + (forward ? 1 : 2);
    ends_[{forward, slot.micro_batch, place}] = free_at_[s];
    ++next_[s];
    return true;
  }

  PipelineShape shape_;
  std::vector<std::vector<Slot>> slots_;
  std::vector<std::size_t> next_;
  std::vector<int> free_at_;
  std::map<Key, int> ends_;
};

// The most micro-batches (of any chunk) that a stage holds between forward and backward pass.
int most_in_flight(const std::vector<Slot>& slots) {
  int held = 0;
  int most = 0;
  for (const Slot& slot : slots) {
    held += slot.pass == Pass::Forward ? 1 : -1;
    most = std::max(most, held);
  }
  return most;
}

}  // namespace

TEST_CASE("1F1B: the first stage of two with three micro-batches, by hand", "[models]") {
  const auto slots = stage_slots(Schedule::OneForwardOneBackward, {2, 1, 3}, 0);
  REQUIRE(slots == std::vector<Slot>{{Pass::Forward, 0, 0},
                                     {Pass::Forward, 1, 0},
                                     {Pass::Backward, 0, 0},
                                     {Pass::Forward, 2, 0},
                                     {Pass::Backward, 1, 0},
                                     {Pass::Backward, 2, 0}});
}

TEST_CASE("interleaved 1F1B: chunks take turns, two micro-batches at a time, by hand", "[models]") {
  // Two stages of two chunks, four micro-batches: the last stage goes 0 + (2 - 1) 2 = 2 ahead.
  const auto slots = stage_slots(Schedule::Interleaved, {2, 2, 4}, 1);
  REQUIRE(std::vector<Slot>(slots.begin(), slots.begin() + 6) ==
          std::vector<Slot>{{Pass::Forward, 0, 0},
                            {Pass::Forward, 1, 0},
                            {Pass::Forward, 0, 1},
                            {Pass::Backward, 0, 1},
                            {Pass::Forward, 1, 1},
                            {Pass::Backward, 1, 1}});
}

TEST_CASE("every schedule has every pass of every micro-batch and chunk once", "[models]") {
  const int stages = GENERATE(1, 2, 3, 4, 8);
  const int rounds = GENERATE(1, 2, 5);
  const Schedule schedule =
      GENERATE(Schedule::GPipe, Schedule::OneForwardOneBackward, Schedule::Interleaved);
  const PipelineShape shape{stages, schedule == Schedule::Interleaved ? 3 : 1, rounds * stages};
  for (int stage = 0; stage < stages; ++stage) {
    std::map<Key, int> count;
    for (const Slot& slot : stage_slots(schedule, shape, stage)) {
      ++count[{slot.pass == Pass::Forward, slot.micro_batch, slot.chunk}];
    }
    REQUIRE(count.size() == static_cast<std::size_t>(2 * shape.micro_batches * shape.chunks));
    for (const auto& [slot, times] : count) REQUIRE(times == 1);
  }
}

TEST_CASE("1F1B and GPipe at uniform times: a bubble of (p - 1) / m of the work", "[models]") {
  const int stages = GENERATE(1, 2, 4, 8);
  const int micro_batches = GENERATE(8, 12, 32);
  const Schedule schedule = GENERATE(Schedule::GPipe, Schedule::OneForwardOneBackward);
  // A stage works for 3 m; the step takes 3 (m + p - 1).
  REQUIRE(UniformPipeline(schedule, {stages, 1, micro_batches}).run() ==
          3 * (micro_batches + stages - 1));
}

TEST_CASE("interleaved 1F1B at uniform times: a bubble of (p - 1) / (v m) of the work",
          "[models]") {
  const int stages = GENERATE(2, 4, 8);
  const int chunks = GENERATE(2, 3);
  const int rounds = GENERATE(1, 2, 4);
  const int micro_batches = rounds * stages;
  // A stage works for 3 v m, in slots of a chunk; the pipeline fills in 3 (p - 1) such.
  REQUIRE(UniformPipeline(Schedule::Interleaved, {stages, chunks, micro_batches}).run() ==
          3 * (chunks * micro_batches + stages - 1));
}

TEST_CASE("1F1B: stage i of p holds min(p - i, m) micro-batches, GPipe all", "[models]") {
  const int stages = GENERATE(1, 2, 4, 8);
  const int micro_batches = GENERATE(1, 3, 16);
  const PipelineShape shape{stages, 1, micro_batches};
  for (int stage = 0; stage < stages; ++stage) {
    REQUIRE(most_in_flight(stage_slots(Schedule::OneForwardOneBackward, shape, stage)) ==
            std::min(stages - stage, micro_batches));
    REQUIRE(most_in_flight(stage_slots(Schedule::GPipe, shape, stage)) == micro_batches);
  }
}

TEST_CASE("interleaved 1F1B: stage i holds 2 (p - 1 - i) + (v - 1) p + 1 chunk passes",
          "[models]") {
  const PipelineShape shape{4, 2, 16};
  for (int stage = 0; stage < 4; ++stage) {
    REQUIRE(most_in_flight(stage_slots(Schedule::Interleaved, shape, stage)) ==
            2 * (3 - stage) + 4 + 1);
  }
}
