#include "sim/memory_timeline.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "sim/run.h"
#include "tests/support/small_steps.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

std::vector<StageMemory> memory_of(const TrainingJob& job, const Profile& profile) {
  const Step step(job, small_cluster(1, job.plan.pipeline_parallel, 1), profile);
  const FoldedProgram folded = step.folded();
  const EngineRun run = run_engine(folded, EngineChoice::Analytic);
  return stage_memory(folded, run.timeline, profile.framework);
}

double part(const StageMemory& stage, MemoryPart part) {
  return stage.parts[static_cast<std::size_t>(part)].value();
}

// Two of the small model's eight layers, 17,825,792 bytes each (memory_test.cpp).
constexpr double kStash = 2 * 17'825'792;

}  // namespace

TEST_CASE("1F1B: stage i of four holds min(4 - i, m) stashes at its peak", "[sim][memory]") {
  const int micro_batches = GENERATE(1, 2, 3, 8);
  const TrainingJob job = small_job({.pipeline = 4, .micro_batches = micro_batches});
  const std::vector<StageMemory> stages = memory_of(job, plain_profile());
  for (int i = 0; i < 4; ++i) {
    REQUIRE(part(stages[static_cast<std::size_t>(i)], MemoryPart::Activations) ==
            std::min(4 - i, micro_batches) * kStash);
  }
}

TEST_CASE("GPipe holds the stashes of all micro-batches", "[sim][memory]") {
  TrainingJob job = small_job({.pipeline = 4, .micro_batches = 5});
  job.plan.schedule = Schedule::GPipe;
  for (const StageMemory& stage : memory_of(job, plain_profile())) {
    REQUIRE(part(stage, MemoryPart::Activations) == 5 * kStash);
  }
}

TEST_CASE("split backward passes hold what their papers say, in bytes", "[sim][memory]") {
  // Four stages, eight micro-batches; chunks of a V have one layer each, others two.
  const auto [schedule, stashes] = GENERATE(table<Schedule, double>({
      {Schedule::ZeroBubble, 4},       // p, as 1F1B's first stage (Qi et al., ICLR '24, table 2)
      {Schedule::ZeroBubbleV, 8 / 2},  // 2 p of half a stage
      {Schedule::DualPipe, 5},         // p + 1 (DeepSeek-V3, table 2)
  }));
  TrainingJob job = small_job({.pipeline = 4, .micro_batches = 8});
  job.plan.schedule = schedule;
  if (schedule == Schedule::ZeroBubbleV) job.plan.virtual_pipeline = 2;
  const std::vector<StageMemory> stages = memory_of(job, plain_profile());
  // Stage 0 first to fill, and the one that all three figures are reached on.
  REQUIRE(part(stages[0], MemoryPart::Activations) == stashes * kStash);
}

TEST_CASE("two copies of the model take twice the weights", "[sim][memory]") {
  TrainingJob job = small_job({.pipeline = 4, .micro_batches = 8});
  const double once = part(memory_of(job, plain_profile())[1], MemoryPart::Weights);
  job.plan.schedule = Schedule::DualPipe;
  // Stages 1 and 2 hold two layers each, and now both.
  REQUIRE(part(memory_of(job, plain_profile())[1], MemoryPart::Weights) == 2 * once);
}

TEST_CASE("only the stage with the loss holds logits", "[sim][memory]") {
  const auto stages = memory_of(small_job({.pipeline = 4}), plain_profile());
  REQUIRE(part(stages[0], MemoryPart::Logits) == 0);
  REQUIRE(part(stages[3], MemoryPart::Logits) == 6.0 * 512 * 32'000);
}

TEST_CASE("allocated is the sum of the tensors, device adds fragments and context",
          "[sim][memory]") {
  Profile profile = plain_profile();
  profile.framework.memory.fragmentation.value = 0.1;
  profile.framework.memory.context.value = 1_GB;
  const StageMemory stage = memory_of(small_job({}), profile).at(0);
  // One GPU: 166,216,704 weights at 2 + 4 + 12 bytes, one stash of 8 layers, the logits.
  const double changing = 8 * 17'825'792.0 + 6.0 * 512 * 32'000;
  REQUIRE(stage.allocated.value() == Approx(18 * 166'216'704.0 + changing).epsilon(1e-14));
  REQUIRE(stage.reserved.value() == Approx(stage.allocated.value() + 0.1 * changing));
  REQUIRE(stage.device.value() == Approx(stage.reserved.value() + 1e9));
  double sum = 0;
  for (const Bytes bytes : stage.parts) sum += bytes.value();
  REQUIRE(sum == Approx(stage.device.value()).epsilon(1e-14));
}

TEST_CASE("full recompute brings one layer to life at a time", "[sim][memory]") {
  TrainingJob job = small_job({.micro_batches = 2});
  job.plan.recompute = Recompute::Full;
  const StageMemory stage = memory_of(job, plain_profile()).at(0);
  REQUIRE(part(stage, MemoryPart::Activations) == 8 * 1'048'576.0 + 17'825'792);
}

TEST_CASE("a peak at the capacity runs out of memory every other time", "[sim][memory]") {
  REQUIRE(out_of_memory_probability(80_GB, 80_GB, 0.05) == Approx(0.5));
  REQUIRE(out_of_memory_probability(40_GB, 80_GB, 0.05) < 1e-6);
  REQUIRE(out_of_memory_probability(81_GB, 80_GB, 0.0) == 1.0);
}
