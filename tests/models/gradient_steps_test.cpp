#include "models/gradient_steps.h"

#include <catch2/catch.hpp>

#include "tests/support/small_steps.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

// Bytes of all collectives of one kind that a rank's program runs on its data group.
double data_bytes(const StepProgram& program, std::size_t stage, CollectiveKind kind) {
  double sum = 0;
  for (const auto& stream : program.programs[stage].streams) {
    for (const Instruction& instruction : stream) {
      const bool on_group = instruction.index == static_cast<int>(Group::Data) ||
                            instruction.index == static_cast<int>(Group::Shard);
      if (instruction.kind != InstructionKind::Collective || !on_group) continue;
      const Operation& operation =
          program.operations[static_cast<std::size_t>(instruction.operation)];
      if (operation.kind == kind) sum += operation.message.value();
    }
  }
  return sum;
}

// Messages are whole bytes: each may be up to a byte longer than its share.
void require_bytes(double found, double expected) {
  REQUIRE(found >= expected - 1e-3);
  REQUIRE(found < expected + 1000);
}

constexpr double kParameters = 166'216'704;  // memory_test.cpp adds them up

}  // namespace

TEST_CASE("plain data parallel all-reduces the gradients of all weights once", "[models]") {
  TrainingJob job = small_job({.data = 4});
  job.plan.overlap_gradient_reduce = GENERATE(false, true);
  const Step step(job, small_cluster(1, 4, 1));
  require_bytes(data_bytes(step.program, 0, CollectiveKind::AllReduce), 4 * kParameters);
  REQUIRE(data_bytes(step.program, 0, CollectiveKind::AllGather) == 0);
}

TEST_CASE("ZeRO 1 scatters the gradients and gathers the weights once", "[models]") {
  TrainingJob job = small_job({.data = 4});
  job.plan.zero_stage = 1;
  job.plan.overlap_gradient_reduce = GENERATE(false, true);
  job.plan.overlap_parameter_gather = GENERATE(false, true);
  const Step step(job, small_cluster(1, 4, 1));
  REQUIRE(data_bytes(step.program, 0, CollectiveKind::AllReduce) == 0);
  require_bytes(data_bytes(step.program, 0, CollectiveKind::ReduceScatter), 4 * kParameters);
  require_bytes(data_bytes(step.program, 0, CollectiveKind::AllGather), 2 * kParameters);
}

TEST_CASE("ZeRO 2 scatters the gradients of every micro-batch", "[models]") {
  TrainingJob job = small_job({.data = 4, .micro_batches = 3});
  job.plan.zero_stage = 2;
  job.plan.overlap_gradient_reduce = GENERATE(false, true);
  const Step step(job, small_cluster(1, 4, 1));
  require_bytes(data_bytes(step.program, 0, CollectiveKind::ReduceScatter), 3 * 4 * kParameters);
}

TEST_CASE("ZeRO 3 gathers the weights twice a micro-batch", "[models]") {
  TrainingJob job = small_job({.data = 4, .micro_batches = 3});
  job.plan.zero_stage = 3;
  const Step step(job, small_cluster(1, 4, 1));
  require_bytes(data_bytes(step.program, 0, CollectiveKind::AllGather), 3 * 2 * 2 * kParameters);
  require_bytes(data_bytes(step.program, 0, CollectiveKind::ReduceScatter), 3 * 4 * kParameters);
}

TEST_CASE("the stages of a pipeline reduce what they hold, chunks or not", "[models]") {
  TrainingJob job = small_job({.pipeline = 2, .data = 2});
  if (GENERATE(false, true)) {
    job.plan.schedule = Schedule::Interleaved;
    job.plan.virtual_pipeline = 2;
  }
  job.plan.overlap_gradient_reduce = GENERATE(false, true);
  const Step step(job, small_cluster(1, 4, 1));
  // Four layers of 12,584,960 and a table each; the last stage has the last norm too.
  require_bytes(data_bytes(step.program, 0, CollectiveKind::AllReduce), 4.0 * 83'107'840);
  require_bytes(data_bytes(step.program, 1, CollectiveKind::AllReduce), 4.0 * 83'108'864);
}

TEST_CASE("one data-parallel rank reduces nothing", "[models]") {
  const Step step(small_job({.tensor = 2}), small_cluster(1, 2, 1));
  REQUIRE(data_bytes(step.program, 0, CollectiveKind::AllReduce) == 0);
}
