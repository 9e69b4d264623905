#include "sim/search/layout_bound.h"

#include <array>
#include <compare>
#include <map>
#include <string>
#include <vector>

#include "base/contract.h"
#include "models/training_step.h"
#include "sim/analytic_engine.h"
#include "sim/search/layout_grid.h"
#include "sim/search/layout_walk.h"

namespace stepcast {
namespace {

int micro_batches_of(const ParallelPlan& plan, const Batch& batch) {
  return batch.global_batch / (batch.micro_batch * plan.data_parallel);
}

PipelineShape shape_of(const ParallelPlan& plan, const Batch& batch) {
  return {plan.pipeline_parallel, plan.virtual_pipeline, micro_batches_of(plan, batch)};
}

Schedule schedule_of(const ParallelPlan& plan) {
  STEPCAST_REQUIRES(plan.schedule.has_value());
  return *plan.schedule;
}

int number(const std::optional<bool>& choice) { return choice ? 1 + *choice : 0; }

// Everything that a grid of ranks depends on.
using GridKey = std::pair<std::array<int, 6>, std::string>;

GridKey grid_key(const ParallelPlan& plan) {
  return {{plan.tensor_parallel, plan.context_parallel, plan.expert_parallel,
           plan.expert_tensor_parallel, plan.data_parallel, plan.pipeline_parallel},
          plan.rank_order};
}

// Everything that a layout's text depends on.
struct LayoutKey {
  GridKey grid;
  std::array<int, 18> choices;
  std::array<double, 2> expert_rows;
  std::vector<int> layers_per_stage;
  auto operator<=>(const LayoutKey&) const = default;
};

LayoutKey layout_key(const ParallelPlan& plan, const Batch& batch, int shown) {
  return {grid_key(plan),
          {plan.virtual_pipeline, plan.embedding_counts_as_layer, plan.loss_counts_as_layer,
           plan.sequence_parallel, plan.zero_stage, plan.shard_group,
           static_cast<int>(schedule_of(plan)), static_cast<int>(plan.recompute),
           number(plan.overlap_gradient_reduce), number(plan.overlap_parameter_gather),
           number(plan.keep_gathered_inputs), batch.micro_batch, batch.sequence_length, shown,
           static_cast<int>(plan.expert_dispatch), plan.overlap_shared_experts,
           static_cast<int>(plan.context_parallel_algorithm.value_or(ContextAlgorithm::Ring))},
          {plan.expert_capacity.value_or(0), plan.expert_load_imbalance},
          plan.layers_per_stage};
}

}  // namespace

struct LayoutBound::Caches {
  explicit Caches(const Scenario& of) : scenario(of) {}

  // Nothing where the general engine has to walk the layout: texts know whole backward passes and
  // chunks that run down the stages.
  const std::optional<LayoutText>& text(const ParallelPlan& plan, const Batch& batch) {
    static const std::optional<LayoutText> none;
    if (splits_backward(schedule_of(plan))) return none;
    const PipelineShape shape = shape_of(plan, batch);
    PipelineShape shown = shape;
    shown.micro_batches = micro_batches_to_show(schedule_of(plan), shape);
    const auto [place, added] = texts.try_emplace(layout_key(plan, batch, shown.micro_batches));
    if (added) place->second = write_text(plan, batch, shown);
    return place->second;
  }

  TrainingJob job(const ParallelPlan& plan, const Batch& batch) const {
    TrainingJob made = scenario.job;
    made.plan = plan;
    made.batch = batch;
    return made;
  }

  std::optional<LayoutText> write_text(const ParallelPlan& plan, Batch batch,
                                       const PipelineShape& shown) {
    batch.global_batch = shown.micro_batches * batch.micro_batch * plan.data_parallel;
    const TrainingJob small = job(plan, batch);
    LayoutGrid& grid = grids.try_emplace(grid_key(plan), plan, scenario.cluster).first->second;
    const StepProgram programs = stage_programs(small, scenario.profile, scenario.device(),
                                                grid.placement(), grid.cluster());
    const std::optional<FoldedProgram> folded = grid.fold(programs, small, scenario.profile);
    return folded ? layout_text(*folded, shown) : std::nullopt;
  }

  const SlotOrder& order(const ParallelPlan& plan, const Batch& batch, const LayoutText& layout) {
    const PipelineShape shape = shape_of(plan, batch);
    const auto [place, added] = orders.try_emplace(
        {static_cast<int>(schedule_of(plan)), shape.stages, shape.chunks, shape.micro_batches});
    if (added) place->second = slot_order(schedule_of(plan), shape, layout);
    return place->second;
  }

  Seconds general_time(const ParallelPlan& plan, const Batch& batch) {
    const TrainingJob whole = job(plan, batch);
    const LayoutGrid& grid =
        grids.try_emplace(grid_key(plan), plan, scenario.cluster).first->second;
    const StepProgram program =
        training_step(whole, scenario.profile, scenario.device(), grid.placement(), grid.cluster());
    const FoldedProgram folded =
        fold(program, grid.placement(), grid.cluster(), scenario.profile.network);
    return run_analytic(folded, fuse_all(folded)).end();
  }

  const Scenario& scenario;
  std::map<GridKey, LayoutGrid> grids;
  std::map<LayoutKey, std::optional<LayoutText>> texts;
  std::map<std::array<int, 4>, SlotOrder> orders;
  LayoutWalk walk;
};

LayoutBound::LayoutBound(const Scenario& scenario) : caches_(std::make_unique<Caches>(scenario)) {}
LayoutBound::~LayoutBound() = default;
LayoutBound::LayoutBound(LayoutBound&&) noexcept = default;
LayoutBound& LayoutBound::operator=(LayoutBound&&) noexcept = default;

Seconds LayoutBound::step_time(const ParallelPlan& plan, const Batch& batch) {
  const std::optional<LayoutText>& text = caches_->text(plan, batch);
  if (!text) return caches_->general_time(plan, batch);
  return caches_->walk.run(*text, caches_->order(plan, batch, *text));
}

Seconds LayoutBound::stage_bound(const ParallelPlan& plan, const Batch& batch) {
  const std::optional<LayoutText>& text = caches_->text(plan, batch);
  if (!text) return Seconds();
  return stepcast::stage_bound(*text, micro_batches_of(plan, batch));
}

}  // namespace stepcast
