#include "sim/search/search_worker.h"

#include <exception>
#include <utility>
#include <vector>

#include "sim/memory_timeline.h"
#include "sim/wire.h"

namespace stepcast {
namespace {

std::pair<ParallelPlan, Batch> plan_and_batch(const TrainingJob& job) {
  return {job.plan, job.batch};
}

}  // namespace

LayoutRow row_of(std::size_t layout, const StepReport& report) {
  LayoutRow row;
  row.layout = layout;
  row.figures = {report.step_time, report.memory_peak(), report.oom_probability};
  // The node's own memory has no spread: it is enough or not.
  const bool node_is_full = !report.fits && report.oom_probability < 0.5;
  if (node_is_full) row.figures.oom_probability = 1.0;
  row.tokens_per_s = report.tokens_per_s;
  row.mfu = report.mfu;
  row.bubble_fraction = report.bubble_fraction;
  row.cost = report.cost;
  row.engine = report.engine.name;
  row.certified = report.engine.certified;
  row.bottleneck = report.bottleneck;
  return row;
}

std::string SearchWorker::answer(std::string_view task_bytes) {
  const auto task = from_bytes<SearchTask>(task_bytes);
  if (task.kind == SearchTask::Kind::Predict) return to_bytes(predict(task.first));
  std::vector<LayoutBounds> bounds;
  for (std::size_t layout = task.first; layout < task.first + task.count; ++layout) {
    bounds.push_back(task.kind == SearchTask::Kind::Bound ? bound(layout) : tighten(layout));
  }
  return to_bytes(bounds);
}

LayoutBound& SearchWorker::bound_of(int variant) const {
  return bounds_.try_emplace(variant, space_.base(variant)).first->second;
}

LayoutBounds SearchWorker::bound(std::size_t layout) const {
  LayoutBounds bounds;
  bounds.layout = layout;
  try {
    const Scenario& base = space_.base(space_.variant_of(layout));
    const auto [plan, batch] = plan_and_batch(space_.job(layout));
    LayoutBound& bound = bound_of(space_.variant_of(layout));
    LayoutFigures& figures = bounds.figures;
    figures.memory = bound.memory(plan, batch);
    figures.oom_probability = out_of_memory_probability(
        figures.memory, base.cluster.node.gpu.memory, base.profile.framework.memory.spread.value);
    if (!fits(space_.request().keys.goal, figures.oom_probability)) return bounds;
    if (bound.is_walkable(plan, batch)) {
      figures.step_time = bound.step_time(plan, batch);
      bounds.analytic = figures.step_time;
    } else {
      figures.step_time = bound.stage_bound(plan, batch);
    }
  } catch (const std::exception& fault) {
    bounds.error = fault.what();
  }
  return bounds;
}

LayoutBounds SearchWorker::tighten(std::size_t layout) const {
  LayoutBounds bounds = bound(layout);
  if (!bounds.error.empty() || bounds.analytic) return bounds;
  try {
    const auto [plan, batch] = plan_and_batch(space_.job(layout));
    bounds.analytic = bound_of(space_.variant_of(layout)).step_time(plan, batch);
  } catch (const std::exception& fault) {
    bounds.error = fault.what();
  }
  return bounds;
}

LayoutRow SearchWorker::predict(std::size_t layout) const {
  try {
    return row_of(layout, predictor_(space_.scenario(layout)));
  } catch (const std::exception& fault) {
    LayoutRow row;
    row.layout = layout;
    row.error = fault.what();
    return row;
  }
}

}  // namespace stepcast
