#include "sim/memory_gauge.h"

#include <algorithm>
#include <utility>

#include "models/training_step.h"
#include "sim/memory_timeline.h"

namespace stepcast {
namespace {

// As many micro-batches as a stage ever holds at once, and a round more.
int micro_batches_to_fill(const TrainingJob& job) {
  const int all = num_micro_batches(job);
  if (*job.plan.schedule == Schedule::GPipe) return all;
  return std::min(all, 3 * job.plan.pipeline_parallel);
}

}  // namespace

MemoryGauge::MemoryGauge(Scenario scenario)
    : scenario_(std::move(scenario)), grid_(scenario_.job.plan, scenario_.cluster) {
  Batch& batch = scenario_.job.batch;
  batch.global_batch =
      micro_batches_to_fill(scenario_.job) * batch.micro_batch * scenario_.job.plan.data_parallel;
}

StageMemory MemoryGauge::peak_stage(const Profile& profile, MemoryKind kind,
                                    MemoryPlace place) const {
  const Device device{scenario_.cluster.node.gpu, profile.gpu};
  const StepProgram program =
      stage_programs(scenario_.job, profile, device, grid_.placement(), grid_.cluster());
  const AllocatorSettings settings{.expandable_segments = scenario_.job.runtime.expandable_segments,
                                   .capacity = scenario_.cluster.node.gpu.memory};
  StageMemory highest;
  for (const RankProgram& rank : program.programs) {
    const StageMemory stage = untimed_stage_memory(rank, settings, kind != MemoryKind::Allocated);
    if (of_kind(stage, kind) > of_kind(highest, kind)) highest = stage;
    if (place == MemoryPlace::FirstStage) break;
  }
  return highest;
}

PeakCases peak_cases(const StageMemory& stage, MemoryKind kind) {
  const Bytes counted = of_kind(stage, kind);
  const bool in = stage.counts_uncertain();
  return {.with = in ? counted : counted + stage.uncertain,
          .without = in ? counted - stage.uncertain : counted,
          .likelihood = stage.uncertain_likelihood};
}

}  // namespace stepcast
