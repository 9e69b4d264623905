#include "tests/support/uniform_pipeline.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <tuple>

namespace stepcast::test {
namespace {

// Forward pass or input gradient; copy of the model; micro-batch; place along the model.
using Result = std::tuple<bool, int, int, int>;

class UniformPipeline {
 public:
  UniformPipeline(Schedule schedule, const PipelineShape& shape, const PassTimes& times)
      : path_(chunk_path(schedule)), shape_(shape), times_(times) {
    const auto stages = static_cast<std::size_t>(shape.stages);
    for (int stage = 0; stage < shape.stages; ++stage) {
      slots_.push_back(stage_slots(schedule, shape, stage));
    }
    next_.resize(stages);
    run_.busy.resize(stages);
    run_.begin.resize(stages, -1);
    run_.finished.resize(stages);
  }

  UniformRun run() {
    for (bool moved = true; moved;) {
      moved = false;
      for (int stage = 0; stage < shape_.stages; ++stage) moved = advance(stage) || moved;
    }
    for (std::size_t s = 0; s < slots_.size(); ++s) REQUIRE(next_[s] == slots_[s].size());
    run_.end = *std::max_element(run_.finished.begin(), run_.finished.end());
    return run_;
  }

 private:
  double duration(const Slot& slot) const {
    switch (slot.pass) {
      case Pass::Forward:
        return slot.with_next ? times_.together : times_.forward;
      case Pass::Backward:
        return times_.input_gradient + times_.weight_gradient;
      case Pass::InputGradient:
        return times_.input_gradient;
      case Pass::WeightGradient:
        break;
    }
    return times_.weight_gradient;
  }

  Result result(const Slot& slot, int stage, int offset, bool forward) const {
    const int copy = path_ == ChunkPath::Opposed ? slot.chunk : 0;
    return {forward, copy, slot.micro_batch, place_of(path_, shape_, stage, slot.chunk) + offset};
  }

  // When what the slot needs is there; nothing while it is not.
  std::optional<double> ready(const Slot& slot, int stage) const {
    if (slot.pass == Pass::WeightGradient) return end_of(result(slot, stage, 0, false));
    const int place = place_of(path_, shape_, stage, slot.chunk);
    if (slot.pass == Pass::Forward) {
      return place == 0 ? 0.0 : end_of(result(slot, stage, -1, true));
    }
    const bool last = place == num_places(path_, shape_) - 1;
    return end_of(last ? result(slot, stage, 0, true) : result(slot, stage, 1, false));
  }

  std::optional<double> end_of(const Result& result) const {
    const auto found = ends_.find(result);
    return found == ends_.end() ? std::nullopt : std::optional(found->second);
  }

  // Runs the stage's next slot, or two together, if what they wait for has ended.
  bool advance(int stage) {
    const auto s = static_cast<std::size_t>(stage);
    if (next_[s] == slots_[s].size()) return false;
    const std::size_t count = slots_[s][next_[s]].with_next ? 2 : 1;
    double begin = run_.finished[s];
    for (std::size_t i = 0; i < count; ++i) {
      const std::optional<double> there = ready(slots_[s][next_[s] + i], stage);
      if (!there) return false;
      begin = std::max(begin, *there);
    }
    const double took = duration(slots_[s][next_[s]]);
    if (run_.begin[s] < 0) run_.begin[s] = begin;
    run_.busy[s] += took;
    run_.finished[s] = begin + took;
    for (std::size_t i = 0; i < count; ++i) {
      const Slot& slot = slots_[s][next_[s]++];
      if (slot.pass == Pass::WeightGradient) continue;
      ends_[result(slot, stage, 0, slot.pass == Pass::Forward)] = begin + took;
    }
    return true;
  }

  ChunkPath path_;
  PipelineShape shape_;
  PassTimes times_;
  std::vector<std::vector<Slot>> slots_;
  std::vector<std::size_t> next_;
  UniformRun run_;
  std::map<Result, double> ends_;
};

}  // namespace

double UniformRun::largest_bubble() const {
  return end - *std::min_element(busy.begin(), busy.end());
}

UniformRun run_uniform(Schedule schedule, const PipelineShape& shape, const PassTimes& times) {
  return UniformPipeline(schedule, shape, times).run();
}

int most_in_flight(const std::vector<Slot>& slots) {
  int held = 0;
  int most = 0;
  for (const Slot& slot : slots) {
    if (slot.pass == Pass::Forward) ++held;
    if (slot.pass == Pass::Backward || slot.pass == Pass::WeightGradient) --held;
    most = std::max(most, held);
  }
  return most;
}

}  // namespace stepcast::test
