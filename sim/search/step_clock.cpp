#include "sim/search/step_clock.h"

#include <utility>

#include "models/training_step.h"
#include "sim/analytic_engine.h"

namespace stepcast {
namespace {

PipelineShape shape_of(const TrainingJob& job) {
  return {job.plan.pipeline_parallel, job.plan.virtual_pipeline, num_micro_batches(job)};
}

}  // namespace

StepClock::StepClock(Scenario scenario)
    : scenario_(std::move(scenario)),
      shape_(shape_of(scenario_.job)),
      grid_(scenario_.job.plan, scenario_.cluster) {}

Seconds StepClock::step_time(const Profile& profile) {
  TrainingJob shown = scenario_.job;
  PipelineShape shape = shape_;
  shape.micro_batches = micro_batches_to_show(*shown.plan.schedule, shape_);
  shown.batch.global_batch =
      shape.micro_batches * shown.batch.micro_batch * shown.plan.data_parallel;
  const Device device{scenario_.cluster.node.gpu, profile.gpu};
  const StepProgram programs =
      stage_programs(shown, profile, device, grid_.placement(), grid_.cluster());
  const std::optional<FoldedProgram> folded = grid_.fold(programs, shown, profile);
  if (!folded) return general_time(profile);
  const LayoutText text = layout_text(*folded, shape);
  if (!text.walkable) return general_time(profile);
  if (!order_) order_ = slot_order(*shown.plan.schedule, shape_, text);
  return walk_.run(text, *order_);
}

Seconds StepClock::general_time(const Profile& profile) const {
  const Device device{scenario_.cluster.node.gpu, profile.gpu};
  const StepProgram program =
      training_step(scenario_.job, profile, device, grid_.placement(), grid_.cluster());
  const FoldedProgram folded = fold(program, grid_.placement(), grid_.cluster(), profile.network);
  return run_analytic(folded, fuse_all(folded)).end();
}

}  // namespace stepcast
