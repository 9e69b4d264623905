#include "sim/search/layout_bound.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/contract.h"
#include "base/fields.h"
#include "models/training_step.h"
#include "sim/analytic_engine.h"
#include "sim/memory_timeline.h"
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

// A plan as text: whatever keys plans come to have, layouts that differ in one have two keys.
std::string plan_key(ParallelPlan plan) {
  return write_fields([&](Fields& f) { describe(f, plan); }, false).dump();
}

// What ranks a plan has and how they are grouped. Members that only change what ranks run are set
// aside; a member that is not listed here keeps plans apart.
std::string grid_key(ParallelPlan plan) {
  const ParallelPlan none;
  plan.virtual_pipeline = none.virtual_pipeline;
  plan.sequence_parallel = none.sequence_parallel;
  plan.schedule = none.schedule;
  plan.recompute = none.recompute;
  plan.overlap_gradient_reduce = none.overlap_gradient_reduce;
  plan.overlap_parameter_gather = none.overlap_parameter_gather;
  plan.keep_gathered_inputs = none.keep_gathered_inputs;
  return plan_key(std::move(plan));
}

// What the compute stream has to compute, each kernel alone.
Seconds compute_time(const RankProgram& rank) {
  Seconds busy;
  const auto add = [&](const Instruction& instruction) {
    if (instruction.kind == InstructionKind::Compute) busy += instruction.duration;
  };
  for (const Instruction& instruction : rank.stream(Stream::Compute)) {
    add(instruction);
    if (instruction.kind != InstructionKind::Call) continue;
    const Block& block = rank.blocks[static_cast<std::size_t>(instruction.index)];
    for (const Instruction& inside : block.body) add(inside);
  }
  return busy;
}

// The plan, and the batch as the text was written for.
using LayoutKey = std::pair<std::string, std::array<int, 3>>;

}  // namespace

struct LayoutBound::Caches {
  explicit Caches(const Scenario& of) : scenario(of) {}

  // Nothing where the general engine has to walk the layout: where ranks of a stage are not all
  // alike, and where backward passes are split or chunks do not run down the stages.
  const std::optional<LayoutText>& text(const ParallelPlan& plan, const Batch& batch) {
    static const std::optional<LayoutText> none;
    if (splits_backward(schedule_of(plan))) return none;
    const PipelineShape shape = shape_of(plan, batch);
    PipelineShape shown = shape;
    shown.micro_batches = micro_batches_to_show(schedule_of(plan), shape);
    Batch written = batch;
    written.global_batch = shown.micro_batches * batch.micro_batch * plan.data_parallel;
    if (texts.size() > max_texts) texts.clear();
    const auto [place, added] = texts.try_emplace(
        {plan_key(plan), {written.global_batch, written.micro_batch, written.sequence_length}});
    if (added) place->second = write_text(plan, written, shown);
    return place->second;
  }

  TrainingJob job(const ParallelPlan& plan, const Batch& batch) const {
    TrainingJob made = scenario.job;
    made.plan = plan;
    made.batch = batch;
    return made;
  }

  std::optional<LayoutText> write_text(const ParallelPlan& plan, const Batch& batch,
                                       const PipelineShape& shown) {
    const TrainingJob small = job(plan, batch);
    LayoutGrid& grid = grid_of(plan);
    const StepProgram programs = stage_programs(small, scenario.profile, scenario.device(),
                                                grid.placement(), grid.cluster());
    const std::optional<FoldedProgram> folded = grid.fold(programs, small, scenario.profile);
    if (!folded) return std::nullopt;
    return layout_text(*folded, shown);
  }

  // Of a layout without a text, from the stages' whole programs.
  struct ProgramBounds {
    Seconds compute;
    Bytes memory;
  };

  const ProgramBounds& program_bounds(const ParallelPlan& plan, const Batch& batch) {
    const LayoutKey key{plan_key(plan),
                        {batch.global_batch, batch.micro_batch, batch.sequence_length}};
    if (!last_bounds || last_bounds->first != key) {
      const LayoutGrid& grid = grid_of(plan);
      const StepProgram programs = stage_programs(
          job(plan, batch), scenario.profile, scenario.device(), grid.placement(), grid.cluster());
      ProgramBounds bounds;
      for (const RankProgram& rank : programs.programs) {
        bounds.compute = std::max(bounds.compute, compute_time(rank));
        const Bytes allocated = untimed_stage_memory(rank, {}, false).allocated;
        bounds.memory = std::max(bounds.memory, allocated + rank.outside_allocator);
      }
      last_bounds.emplace(key, bounds);
    }
    return last_bounds->second;
  }

  const SlotOrder& order(const ParallelPlan& plan, const Batch& batch, const LayoutText& layout) {
    const PipelineShape shape = shape_of(plan, batch);
    if (orders.size() > max_orders) orders.clear();
    const auto [place, added] = orders.try_emplace(
        {static_cast<int>(schedule_of(plan)), shape.stages, shape.chunks, shape.micro_batches});
    if (added) place->second = slot_order(schedule_of(plan), shape, layout);
    return place->second;
  }

  LayoutGrid& grid_of(const ParallelPlan& plan) {
    return grids.try_emplace(grid_key(plan), plan, scenario.cluster).first->second;
  }

  Seconds general_time(const ParallelPlan& plan, const Batch& batch) {
    const TrainingJob whole = job(plan, batch);
    const LayoutGrid& grid = grid_of(plan);
    const StepProgram program =
        training_step(whole, scenario.profile, scenario.device(), grid.placement(), grid.cluster());
    const FoldedProgram folded =
        fold(program, grid.placement(), grid.cluster(), scenario.profile.network);
    return run_analytic(folded, fuse_all(folded)).end();
  }

  // A search asks for each layout once.
  static constexpr std::size_t max_texts = 256;
  static constexpr std::size_t max_orders = 64;

  const Scenario& scenario;
  std::map<std::string, LayoutGrid> grids;
  std::map<LayoutKey, std::optional<LayoutText>> texts;
  std::map<std::array<int, 4>, SlotOrder> orders;
  LayoutWalk walk;
  std::optional<std::pair<LayoutKey, ProgramBounds>> last_bounds;  // memory is asked, then time
};

LayoutBound::LayoutBound(const Scenario& scenario) : caches_(std::make_unique<Caches>(scenario)) {}
LayoutBound::~LayoutBound() = default;
LayoutBound::LayoutBound(LayoutBound&&) noexcept = default;
LayoutBound& LayoutBound::operator=(LayoutBound&&) noexcept = default;

bool LayoutBound::is_walkable(const ParallelPlan& plan, const Batch& batch) {
  const std::optional<LayoutText>& text = caches_->text(plan, batch);
  return text && text->walkable;
}

Seconds LayoutBound::step_time(const ParallelPlan& plan, const Batch& batch) {
  const std::optional<LayoutText>& text = caches_->text(plan, batch);
  if (!text || !text->walkable) return caches_->general_time(plan, batch);
  return caches_->walk.run(*text, caches_->order(plan, batch, *text));
}

Seconds LayoutBound::stage_bound(const ParallelPlan& plan, const Batch& batch) {
  const std::optional<LayoutText>& text = caches_->text(plan, batch);
  if (!text) return caches_->program_bounds(plan, batch).compute;
  const int micro_batches = micro_batches_of(plan, batch);
  return text->walkable ? stepcast::stage_bound(*text, micro_batches)
                        : compute_bound(*text, micro_batches);
}

Bytes LayoutBound::memory(const ParallelPlan& plan, const Batch& batch) {
  const std::optional<LayoutText>& text = caches_->text(plan, batch);
  if (!text) return caches_->program_bounds(plan, batch).memory;
  return peak_memory(*text, caches_->order(plan, batch, *text));
}

}  // namespace stepcast
