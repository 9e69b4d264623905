#include "models/pipeline_schedule.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <tuple>

#include "tests/support/uniform_pipeline.h"

using namespace stepcast;

using namespace stepcast::test;
using Catch::Matchers::WithinRel;

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

TEST_CASE("ZB-H1: a stage of three with four micro-batches, by hand", "[models]") {
  // Stage 1 goes one forward pass ahead and lags one weight gradient behind.
  const auto slots = stage_slots(Schedule::ZeroBubble, {3, 1, 4}, 1);
  REQUIRE(slots == std::vector<Slot>{{Pass::Forward, 0, 0},
                                     {Pass::Forward, 1, 0},
                                     {Pass::InputGradient, 0, 0},
                                     {Pass::Forward, 2, 0},
                                     {Pass::InputGradient, 1, 0},
                                     {Pass::WeightGradient, 0, 0},
                                     {Pass::Forward, 3, 0},
                                     {Pass::InputGradient, 2, 0},
                                     {Pass::WeightGradient, 1, 0},
                                     {Pass::InputGradient, 3, 0},
                                     {Pass::WeightGradient, 2, 0},
                                     {Pass::WeightGradient, 3, 0}});
}

TEST_CASE("a V hands over inside its last stage, a loop from the last stage to the first",
          "[models]") {
  const PipelineShape shape{4, 2, 8};
  REQUIRE(place_of(ChunkPath::Loop, shape, 0, 1) == 4);
  REQUIRE(place_of(ChunkPath::Vee, shape, 3, 0) == 3);
  REQUIRE(place_of(ChunkPath::Vee, shape, 3, 1) == 4);
  REQUIRE(place_of(ChunkPath::Vee, shape, 0, 1) == 7);
  REQUIRE(place_of(ChunkPath::Opposed, shape, 3, 1) == 0);
  REQUIRE(num_places(ChunkPath::Opposed, shape) == 4);
}

TEST_CASE("every schedule has every pass of every micro-batch and chunk once", "[models]") {
  const int stages = GENERATE(2, 4, 8);
  const int rounds = GENERATE(2, 3, 5);
  const Schedule schedule =
      GENERATE(Schedule::GPipe, Schedule::OneForwardOneBackward, Schedule::Interleaved,
               Schedule::ZeroBubble, Schedule::ZeroBubbleV, Schedule::DualPipe);
  const bool two = chunk_path(schedule) != ChunkPath::Loop;
  const PipelineShape shape{stages,
                            schedule == Schedule::Interleaved ? 3
                            : two                             ? 2
                                                              : 1,
                            rounds * stages};
  const int per_chunk = micro_batches_of_chunk(chunk_path(schedule), shape);
  for (int stage = 0; stage < stages; ++stage) {
    // A whole backward pass counts as both halves.
    std::map<std::tuple<Pass, int, int>, int> count;
    for (const Slot& slot : stage_slots(schedule, shape, stage)) {
      const auto add = [&](Pass pass) { ++count[{pass, slot.micro_batch, slot.chunk}]; };
      if (slot.pass == Pass::Backward) {
        add(Pass::InputGradient);
        add(Pass::WeightGradient);
      } else {
        add(slot.pass);
      }
    }
    REQUIRE(count.size() == static_cast<std::size_t>(3 * per_chunk * shape.chunks));
    for (const auto& [slot, times] : count) REQUIRE(times == 1);
  }
}

TEST_CASE("1F1B and GPipe at uniform times: a bubble of (p - 1) (F + B)", "[models]") {
  const int stages = GENERATE(1, 2, 4, 8);
  const int micro_batches = GENERATE(8, 12, 32);
  const Schedule schedule = GENERATE(Schedule::GPipe, Schedule::OneForwardOneBackward);
  const UniformRun run = run_uniform(schedule, {stages, 1, micro_batches}, {1.1, 1.3, 0.9});
  REQUIRE_THAT(run.end, WithinRel((micro_batches + stages - 1) * (1.1 + 1.3 + 0.9), 1e-9));
}

TEST_CASE("interleaved 1F1B at uniform times: a bubble of (p - 1) (F + B) / v", "[models]") {
  const int stages = GENERATE(2, 4, 8);
  const int chunks = GENERATE(2, 3);
  const int rounds = GENERATE(1, 2, 4);
  const int micro_batches = rounds * stages;
  // A chunk's passes take F / v and B / v. Source: Narayanan et al., SC '21, section 2.2.2.
  const double v = chunks;
  const UniformRun run = run_uniform(Schedule::Interleaved, {stages, chunks, micro_batches},
                                     {1.1 / v, 1.3 / v, 0.9 / v});
  REQUIRE_THAT(run.end - micro_batches * 3.3, WithinRel((stages - 1) * 3.3 / v, 1e-9));
}

TEST_CASE("ZB-H1 at uniform times: a bubble of (p - 1) (F + B - W)", "[models]") {
  // Qi et al., ICLR '24, table 2: T_B is the input gradient alone. DeepSeek-V3's table 2 writes
  // (p - 1) (F + B - 2 W) for the same, with B the whole backward pass.
  const int stages = GENERATE(2, 4, 8, 16);
  const int micro_batches = stages * GENERATE(1, 2, 3) + GENERATE(0, 1);
  const PassTimes times = GENERATE(PassTimes{1, 1, 1}, PassTimes{1.1, 1.3, 0.9}, PassTimes{5, 5, 3},
                                   PassTimes{4, 5, 4});
  const UniformRun run = run_uniform(Schedule::ZeroBubble, {stages, 1, micro_batches}, times);
  const double published =
      (stages - 1) * (times.forward + times.input_gradient - times.weight_gradient);
  REQUIRE_THAT(run.largest_bubble(), WithinRel(published, 1e-9));
}

TEST_CASE("ZB-V where F = B = W: no stage idles between its first and last pass", "[models]") {
  // Qi et al., ICLR '24, section 6, for at least 2 p - 1 micro-batches. The last stage begins
  // p - 1 passes late: what waits at the optimizer's common norm is that ramp.
  const int stages = GENERATE(2, 4, 8);
  const int micro_batches = 2 * stages - 1 + GENERATE(0, 1, 7);
  const double pass = 0.7;
  const UniformRun run =
      run_uniform(Schedule::ZeroBubbleV, {stages, 2, micro_batches}, {pass, pass, pass});
  for (int stage = 0; stage < stages; ++stage) {
    REQUIRE_THAT(run.bubble_inside(stage), Catch::Matchers::WithinAbs(0, 1e-9));
  }
  REQUIRE_THAT(run.largest_bubble(), WithinRel((stages - 1) * pass, 1e-9));
}

TEST_CASE("DualPipe at uniform times: a bubble of (p / 2 - 1) (F&B + B - 3 W)", "[models]") {
  // DeepSeek-V3, arXiv:2412.19437, table 2, with B the whole backward pass; uniform: the forward
  // pass takes as long as the gradient by the input.
  const int stages = GENERATE(4, 8, 16);
  const int micro_batches = 2 * stages + GENERATE(0, 2, 8);
  const PassTimes times = GENERATE(PassTimes{1, 1, 1, 3}, PassTimes{1, 1, 1, 2.25},
                                   PassTimes{5, 5, 3, 13}, PassTimes{1.1, 1.1, 0.9, 2.7});
  const UniformRun run = run_uniform(Schedule::DualPipe, {stages, 2, micro_batches}, times);
  const double backward = times.input_gradient + times.weight_gradient;
  const double published =
      (stages / 2.0 - 1) * (times.together + backward - 3 * times.weight_gradient);
  // Where together is shorter than one after the other, stages that pair more passes work less:
  // the figure is the middle stages', which pair least.
  const auto middle = static_cast<std::size_t>(stages / 2);
  REQUIRE_THAT(run.end - run.busy[middle], WithinRel(published, 1e-9));
}

TEST_CASE("DualPipe on two stages has no bubble", "[models]") {
  const UniformRun run = run_uniform(Schedule::DualPipe, {2, 2, 4}, {1, 1, 1, 3});
  REQUIRE(run.largest_bubble() == 0);
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

TEST_CASE("ZB-H1 holds no more micro-batches than 1F1B's first stage: p", "[models]") {
  // Qi et al., ICLR '24, table 2: p M_B, weight gradients that are put off included.
  const int stages = GENERATE(2, 4, 8);
  for (int stage = 0; stage < stages; ++stage) {
    REQUIRE(most_in_flight(stage_slots(Schedule::ZeroBubble, {stages, 1, 4 * stages}, stage)) ==
            stages);
  }
}

TEST_CASE("ZB-V holds 2 p half-sized chunk passes on every stage: as much as 1F1B", "[models]") {
  // Qi et al., ICLR '24, section 6: p M_B for the stage's whole model, so 2 p for chunks.
  const int stages = GENERATE(2, 4, 8);
  for (int stage = 0; stage < stages; ++stage) {
    REQUIRE(most_in_flight(stage_slots(Schedule::ZeroBubbleV, {stages, 2, 4 * stages}, stage)) <=
            2 * stages);
  }
  REQUIRE(most_in_flight(stage_slots(Schedule::ZeroBubbleV, {stages, 2, 4 * stages}, 0)) ==
          2 * stages);
}

TEST_CASE("DualPipe holds p + 1 micro-batches", "[models]") {
  // DeepSeek-V3, table 2: activations of PP + 1 micro-batches.
  const int stages = GENERATE(2, 4, 8, 16);
  for (int stage = 0; stage < stages; ++stage) {
    REQUIRE(most_in_flight(stage_slots(Schedule::DualPipe, {stages, 2, 3 * stages}, stage)) ==
            stages + 1);
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
