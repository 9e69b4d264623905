// Published bubbles through the whole path: programs as they are written for a plan, with uniform
// times put into their passes, run by both engines.
#include <algorithm>
#include <catch2/catch.hpp>

#include "sim/breakdown.h"
#include "sim/run.h"
#include "tests/support/small_steps.h"

using namespace stepcast;
using namespace stepcast::test;
using Catch::Matchers::WithinRel;

namespace {

struct UniformTimes {
  double forward = 1.1;  ///< of a stage with all of its chunks
  double input_gradient = 1.3;
  double weight_gradient = 0.9;

  double work() const { return forward + input_gradient + weight_gradient; }
  double of(Work pass) const {
    switch (pass) {
      case Work::Forward:
        return forward;
      case Work::Backward:
        return input_gradient + weight_gradient;
      case Work::InputGradient:
        return input_gradient;
      default:
        return weight_gradient;
    }
  }
};

// Every pass of a chunk takes its time over `chunks`, everything else none; messages are empty. A
// block of two passes (DualPipe) takes both.
void make_uniform(StepProgram& program, const UniformTimes& times, int chunks) {
  for (Operation& operation : program.operations) operation.message = Bytes();
  for (RankProgram& rank : program.programs) {
    for (Instruction& instruction : rank.stream(Stream::Compute)) instruction.duration = Seconds();
    for (Block& block : rank.blocks) {
      double time = 0;
      for (const Work pass :
           {Work::Forward, Work::Backward, Work::InputGradient, Work::WeightGradient}) {
        const bool has = std::any_of(block.body.begin(), block.body.end(),
                                     [&](const Instruction& i) { return i.work == pass; });
        if (has) time += times.of(pass) / chunks;
      }
      block.body.resize(1);
      block.body.front().kind = InstructionKind::Compute;
      block.body.front().activity = Activity::Compute;
      block.body.front().duration = Seconds(time);
      for (BlockAllocation& allocation : block.allocations) {
        allocation.before = std::min(allocation.before, 1);
      }
    }
  }
}

struct Schedules {
  Schedule schedule;
  int chunks;
};

// The step's time less the work of a stage.
double bubble(const Schedules& with, int stages, int micro_batches, const UniformTimes& times,
              EngineChoice engine) {
  TrainingJob job = small_job({.pipeline = stages, .micro_batches = micro_batches});
  job.plan.schedule = with.schedule;
  job.plan.virtual_pipeline = with.schedule == Schedule::DualPipe ? 1 : with.chunks;
  Step step(job, small_cluster(1, stages, 1));
  make_uniform(step.program, times, with.schedule == Schedule::DualPipe ? 1 : with.chunks);
  const FoldedProgram folded = step.folded();
  const Timeline timeline = run_engine(folded, engine).timeline;
  return timeline.end().value() - micro_batches * times.work();
}

}  // namespace

TEST_CASE("a program's bubble is the published one on both engines", "[contract]") {
  const EngineChoice engine = GENERATE(EngineChoice::Analytic, EngineChoice::Event);
  const int p = GENERATE(2, 4);
  const int m = 3 * p;
  const UniformTimes t;
  // Narayanan et al., SC '21, section 2.2: (p - 1) (F + B), by the number of chunks.
  REQUIRE_THAT(bubble({Schedule::GPipe, 1}, p, m, t, engine), WithinRel((p - 1) * t.work(), 1e-9));
  REQUIRE_THAT(bubble({Schedule::OneForwardOneBackward, 1}, p, m, t, engine),
               WithinRel((p - 1) * t.work(), 1e-9));
  REQUIRE_THAT(bubble({Schedule::Interleaved, 2}, p, m, t, engine),
               WithinRel((p - 1) * t.work() / 2, 1e-9));
  // Qi et al., ICLR '24, table 2: (p - 1) (F + B - W).
  REQUIRE_THAT(bubble({Schedule::ZeroBubble, 1}, p, m, t, engine),
               WithinRel((p - 1) * (1.1 + 1.3 - 0.9), 1e-9));
  // The same, section 6, F = B = W: none between passes; the last stage begins p - 1 passes of half
  // a stage late, and the optimizer waits for all.
  const UniformTimes alike{1, 1, 1};
  REQUIRE_THAT(bubble({Schedule::ZeroBubbleV, 2}, p, m, alike, engine),
               WithinRel((p - 1) * 0.5, 1e-9));
}

TEST_CASE("DualPipe's program has the published bubble on both engines", "[contract]") {
  // DeepSeek-V3, arXiv:2412.19437, table 2: (p / 2 - 1) (F&B + B - 3 W) with B the whole backward
  // pass; layers without experts follow each other, so that F&B is F + B.
  const EngineChoice engine = GENERATE(EngineChoice::Analytic, EngineChoice::Event);
  const int p = GENERATE(2, 4, 8);
  const UniformTimes t{1, 1, 0.8};
  const double backward = 1.8;
  const double published = (p / 2 - 1) * ((1 + backward) + backward - 3 * 0.8);
  REQUIRE(bubble({Schedule::DualPipe, 2}, p, 2 * p + 2, t, engine) ==
          Approx(published).epsilon(1e-9).margin(1e-9));
}

TEST_CASE("the report calls a pipeline's bubble by its name", "[contract]") {
  TrainingJob job = small_job({.pipeline = 4, .micro_batches = 8});
  Step step(job, small_cluster(1, 4, 1));
  const UniformTimes t;
  make_uniform(step.program, t, 1);
  const FoldedProgram folded = step.folded();
  const EngineRun run = run_engine(folded, EngineChoice::Analytic);
  const Breakdown breakdown = break_down(folded, run.timeline);
  REQUIRE_THAT(breakdown.parts[static_cast<std::size_t>(Activity::PipelineBubble)].value(),
               WithinRel(3 * t.work(), 1e-9));
}
