#include "sim/memory_timeline.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "sim/memory_events.h"
#include "sim/run.h"
#include "tests/support/small_steps.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

std::vector<StageMemory> memory_of(const TrainingJob& job,
                                   const Profile& profile = plain_profile()) {
  const Step step(job, small_cluster(1, job.plan.pipeline_parallel, 1), profile);
  const FoldedProgram folded = step.folded();
  const EngineRun run = run_engine(folded, EngineChoice::Analytic);
  return stage_memory(folded, run.timeline, {.capacity = 80_GB});
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
            Approx(std::min(4 - i, micro_batches) * kStash));
  }
}

TEST_CASE("GPipe holds the stashes of all micro-batches", "[sim][memory]") {
  TrainingJob job = small_job({.pipeline = 4, .micro_batches = 5});
  job.plan.schedule = Schedule::GPipe;
  for (const StageMemory& stage : memory_of(job, plain_profile())) {
    REQUIRE(part(stage, MemoryPart::Activations) == Approx(5 * kStash));
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
  REQUIRE(part(stages[0], MemoryPart::Activations) == Approx(stashes * kStash));
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
  REQUIRE(part(stages[3], MemoryPart::Logits) == Approx(6.0 * 512 * 32'000));
}

TEST_CASE("allocated is the sum of the tensors, device adds fragments and context",
          "[sim][memory]") {
  Profile profile = plain_profile();
  profile.framework.memory.context.value = 1_GB;
  const StageMemory stage = memory_of(small_job({}), profile).at(0);
  // One GPU: 166,216,704 weights at 2 + 4 + 12 bytes, one stash of 8 layers, the logits.
  const double changing = 8 * 17'825'792.0 + 6.0 * 512 * 32'000;
  REQUIRE(stage.allocated.value() == Approx(18 * 166'216'704.0 + changing).epsilon(1e-12));
  REQUIRE(stage.reserved >= stage.allocated);
  REQUIRE(part(stage, MemoryPart::Fragmentation) ==
          Approx((stage.reserved - stage.allocated).value()));
  REQUIRE(stage.device.value() == Approx(stage.reserved.value() + 1e9));
  double sum = 0;
  for (const Bytes bytes : stage.parts) sum += bytes.value();
  REQUIRE(sum == Approx(stage.device.value()).epsilon(1e-12));
}

TEST_CASE(
    "the peak of a stage without the loss is in its last forward pass ahead, or at the "
    "backward pass that follows",
    "[sim][memory]") {
  const StageMemory first = memory_of(small_job({.pipeline = 4, .micro_batches = 8})).at(0);
  // Four micro-batches are ahead; the backward pass of the first adds its own tensors to them.
  REQUIRE(first.peak_work == Work::Backward);
  REQUIRE(first.peak_micro_batch == 0);
  REQUIRE(first.peak_at > Seconds());
  // [512, 1024] of 2 bytes before the reduction, [512, 4096] of the plain MLP.
  REQUIRE(part(first, MemoryPart::Temporary) == 512 * 1024 * 2 + 512 * 4096 * 2);
}

TEST_CASE("full recompute brings one layer to life at a time", "[sim][memory]") {
  TrainingJob job = small_job({.pipeline = 2, .micro_batches = 2});
  job.plan.recompute = Recompute::Full;
  // The first stage: four layers of two micro-batches, and one layer's working set.
  const StageMemory stage = memory_of(job, plain_profile()).at(0);
  REQUIRE(part(stage, MemoryPart::Activations) == Approx(8 * 1'048'576.0 + 17'825'792));
}

TEST_CASE("segments keep an input each and come to life as a whole", "[sim][memory]") {
  TrainingJob job = small_job({.pipeline = 2, .micro_batches = 2});
  job.plan.recompute = Recompute::Full;
  job.plan.recompute_method = RecomputeMethod::Uniform;
  job.plan.recompute_num_layers = 3;
  // The first stage's four layers are segments of three and one: two inputs for each of two
  // micro-batches. The segment of one goes back first, then the three while one input less is left.
  const StageMemory stage = memory_of(job).at(0);
  REQUIRE(part(stage, MemoryPart::Activations) == Approx(3 * 1'048'576.0 + 3 * 17'825'792));
}

TEST_CASE("block keeps its last layers whole and computes one at a time again", "[sim][memory]") {
  TrainingJob job = small_job({.pipeline = 2, .micro_batches = 1});
  job.plan.recompute = Recompute::Full;
  job.plan.recompute_method = RecomputeMethod::Block;
  job.plan.recompute_num_layers = 1;
  // One input and three whole layers; computed again when these have gone already.
  const StageMemory stage = memory_of(job).at(0);
  REQUIRE(part(stage, MemoryPart::Activations) == Approx(1'048'576.0 + 3 * 17'825'792));
}

TEST_CASE("what is computed again stays for the weights' gradients", "[sim][memory]") {
  TrainingJob job = small_job({.pipeline = 4, .micro_batches = 8});
  job.plan.schedule = Schedule::ZeroBubble;
  job.plan.recompute = Recompute::Full;
  // Stage 2 of four is one forward pass ahead and lags two weight gradients behind: three
  // micro-batches of two layers are there whole, of those and a fourth the inputs.
  const StageMemory stage = memory_of(job).at(2);
  REQUIRE(part(stage, MemoryPart::Activations) == Approx(4 * 2 * 1'048'576.0 + 3 * kStash));
}

TEST_CASE("whatever comes to life within a step ends within it", "[sim][memory]") {
  const Schedule schedule =
      GENERATE(Schedule::GPipe, Schedule::OneForwardOneBackward, Schedule::Interleaved,
               Schedule::ZeroBubble, Schedule::ZeroBubbleV, Schedule::DualPipe);
  const auto method = GENERATE(as<std::optional<RecomputeMethod>>{}, std::nullopt,
                               RecomputeMethod::Uniform, RecomputeMethod::Block);
  const Recompute recompute = method ? Recompute::Full : GENERATE(Recompute::None, Recompute::Full);
  const bool overlaps = GENERATE(false, true);
  TrainingJob job = small_job({.pipeline = 2, .data = 2, .micro_batches = 8});
  job.plan.schedule = schedule;
  job.plan.virtual_pipeline =
      schedule == Schedule::Interleaved || schedule == Schedule::ZeroBubbleV ? 2 : 1;
  job.plan.recompute = recompute;
  job.plan.recompute_method = method;
  job.plan.recompute_num_layers = 3;
  job.plan.overlap_gradient_reduce = overlaps;
  CAPTURE(schedule, recompute, method.has_value(), overlaps);
  const Step step(job, small_cluster(1, 4, 1));
  for (const RankProgram& rank : step.program.programs) {
    const MemoryEvents events = memory_events(rank);
    std::vector<int> alive(rank.tensors.size(), 0);
    for (const MemorySlot& slot : events.slots) {
      for (const MemoryEvent& event : events.text(slot)) {
        int& count = alive[static_cast<std::size_t>(event.tensor)];
        count += event.kind == InstructionKind::Allocate ? 1 : -1;
        REQUIRE(count >= 0);
      }
    }
    for (const int count : alive) REQUIRE(count == 0);
  }
}

TEST_CASE("allocated memory over time begins with what is resident and reaches the peak",
          "[sim][memory]") {
  const TrainingJob job = small_job({.pipeline = 4, .micro_batches = 8});
  const Step step(job, small_cluster(1, 4, 1), plain_profile());
  const FoldedProgram folded = step.folded();
  const EngineRun run = run_engine(folded, EngineChoice::Analytic);
  const StageMemory stage = stage_memory(folded, run.timeline, {.capacity = 80_GB}).at(0);
  const std::vector<MemoryPoint> points = memory_over_time(folded, run.timeline, 0, 50);
  REQUIRE(points.size() <= 51);
  const auto highest = std::max_element(points.begin(), points.end(),
                                        [](auto& a, auto& b) { return a.allocated < b.allocated; });
  REQUIRE(highest->allocated.value() == Approx(stage.allocated.value()).epsilon(1e-12));
  REQUIRE(highest->at == stage.peak_at);
  REQUIRE(std::is_sorted(points.begin(), points.end(),
                         [](const auto& a, const auto& b) { return a.at < b.at; }));
}

TEST_CASE("a tensor that is kept or not counts in both cases of the interval and the risk",
          "[sim][memory]") {
  StageMemory stage;
  stage.device = 60_GB;
  stage.uncertain = 40_GB;
  stage.uncertain_likelihood = 0.25;
  const MemoryInterval interval = device_interval(stage, 0.0);
  REQUIRE(interval.low == 60_GB);
  REQUIRE(interval.high == 100_GB);
  REQUIRE(out_of_memory_probability(stage, 80_GB, 0.0) == 0.25);
  stage.uncertain_likelihood = 0.75;  // then the device figure has it
  stage.device = 100_GB;
  REQUIRE(device_interval(stage, 0.0).low == 60_GB);
  REQUIRE(out_of_memory_probability(stage, 80_GB, 0.0) == 0.75);
  stage.uncertain_likelihood = 0.99;  // too sure to count the other case
  REQUIRE(device_interval(stage, 0.0).low == 100_GB);
}

TEST_CASE("a bf16 job that does not say how gradients are kept counts both ways", "[sim][memory]") {
  TrainingJob job = small_job({.pipeline = 4});
  job.plan.zero_stage = 1;
  Profile profile = plain_profile();
  profile.framework.recipe.gradient_bytes_bf16 = 2;
  profile.framework.recipe.keeps_both_gradients = true;
  profile.framework.recipe.keeps_fp32_unsaid.value = 0.3;
  const StageMemory open = memory_of(job, profile)[1];
  // Two layers of 12,584,960 weights (memory_test.cpp), four bytes more each.
  REQUIRE(open.uncertain.value() == Approx(4 * 2 * 12'584'960));
  REQUIRE(open.uncertain_likelihood == 0.3);
  REQUIRE(part(open, MemoryPart::Gradients) == 2 * 2 * 12'584'960);
  profile.framework.recipe.keeps_fp32_unsaid.value = 0.7;
  REQUIRE(part(memory_of(job, profile)[1], MemoryPart::Gradients) == Approx(6 * 2 * 12'584'960));
  job.gradient_precision = Precision::Bf16;  // said
  REQUIRE(memory_of(job, profile)[1].uncertain == Bytes());
}

TEST_CASE("the bucket of a reduction after the last backward pass does not add to the stashes",
          "[sim][memory]") {
  TrainingJob job = small_job({.data = 2});
  Profile profile = plain_profile();
  profile.framework.communication.gradient_bucket = 100_MB;
  const auto peak = [&] {
    const Step step(job, small_cluster(1, 2, 1), profile);
    const FoldedProgram folded = step.folded();
    const EngineRun run = run_engine(folded, EngineChoice::Analytic);
    return stage_memory(folded, run.timeline, {.capacity = 80_GB})[0].allocated;
  };
  const Bytes behind = peak();
  profile.framework.communication.gradient_bucket = Bytes();
  REQUIRE(peak() == behind);
  // Without activations to speak of the bucket is the peak: four bytes of each of 133 million.
  profile.framework.communication.gradient_bucket = 100_GB;
  REQUIRE(peak() > behind);
}

TEST_CASE("a peak at the capacity runs out of memory every other time", "[sim][memory]") {
  REQUIRE(out_of_memory_probability(80_GB, 80_GB, 0.05) == Approx(0.5));
  REQUIRE(out_of_memory_probability(40_GB, 80_GB, 0.05) < 1e-6);
  REQUIRE(out_of_memory_probability(81_GB, 80_GB, 0.0) == 1.0);
}
