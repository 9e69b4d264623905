#include "models/training_step.h"

#include <algorithm>

#include "base/contract.h"
#include "models/recompute.h"
#include "models/stage_writer.h"
#include "models/stalls.h"
#include "models/straggler.h"

namespace stepcast {
namespace {

GroupLayout first_group_layout(Group group, const TrainingJob& job, const Placement& placement,
                               const Cluster& cluster) {
  const std::vector<int> ranks = group_ranks(group, 0, job, placement.grid, 0);
  if (ranks.empty()) return {};
  std::vector<GpuId> gpus;
  for (const int rank : ranks) {
    gpus.push_back(placement.gpu_of_rank[static_cast<std::size_t>(rank)]);
  }
  return layout_group(cluster, gpus);
}

// What each place along the model holds.
std::vector<ModelShare> shares_by_place(const TrainingJob& job, const FrameworkProfile& framework) {
  std::vector<ModelShare> shares;
  int dense = layers_of(job.model, LayerKind::Dense);
  for (const int layers : layers_per_chunk(job, framework)) {
    shares.push_back(
        {.layers = std::min(layers, dense), .expert_layers = std::max(0, layers - dense)});
    const bool full = job.plan.recompute == Recompute::Full;
    if (full) {
      const RecomputedLayers parts = recomputed_layers(layers, job.plan);
      shares.back().kept_layers = layers - parts.again;
      shares.back().segment = parts.segment;
    }
    dense = std::max(0, dense - layers);
  }
  shares.front().embedding = true;
  shares[static_cast<std::size_t>(head_place(job, framework))].head = true;
  return shares;
}

StageSite stage_site(int stage, const TrainingJob& job, const FrameworkProfile& framework) {
  const ParallelPlan& plan = job.plan;
  const std::vector<ModelShare> shares = shares_by_place(job, framework);
  StageSite site;
  site.stage = stage;
  site.path = chunk_path(plan);
  site.shape = {plan.pipeline_parallel, model_chunks(plan), num_micro_batches(job)};
  for (int chunk = 0; chunk < site.shape.chunks; ++chunk) {
    site.chunks.push_back(shares[static_cast<std::size_t>(site.place(chunk))]);
  }
  // Two copies of the model bring both tables to both ends.
  const int head = head_stage(job, framework);
  site.shares_embedding = job.model.tied_embeddings && model_copies(plan) == 1 && head != 0 &&
                          (stage == 0 || stage == head);
  return site;
}

// Two traits of frameworks, seen over EFA only, by the number of tensor ranks: HostConstants. Read
// off layers at 2, 4 and 8 ranks, a slow collective takes as long as its ranks and two more.
void add_tensor_traits(StepContext& context, const Cluster& cluster) {
  const ParallelPlan& plan = context.plan();
  const HostConstants& host = context.work.framework.host;
  const bool over_efa =
      cluster.num_nodes() > 1 && cluster.spec().fabric.transport == Transport::Efa;
  if (!over_efa || plan.tensor_parallel == 1) return;
  const bool crosses = context.tensor_layout.crosses_network;
  if (crosses) {
    context.crossing_tensor_collective =
        plan.tensor_parallel * host.crossing_tensor_collective.value;
  }
  if (plan.pipeline_parallel > 1) {
    context.slow_tensor_collective = (plan.tensor_parallel + 2) *
                                     (crosses ? host.slow_crossing_factor.value : 1.0) *
                                     host.slow_tensor_collective.value;
  }
}

// Of the first stage: as many forward passes as it is ahead of its backward passes. Nothing where
// no likelihood depends on it.
Seconds held_forward_time(const StepContext& context) {
  const ParallelPlan& plan = context.plan();
  const bool asked = context.work.framework.memory.held_inputs.time.value > Seconds();
  if (!asked || plan.tensor_parallel == 1) return Seconds();
  const int in_flight = std::min(plan.pipeline_parallel, num_micro_batches(context.job()));
  const int layers = layers_per_chunk(context.job(), context.work.framework).front();
  return in_flight * layers * plan.virtual_pipeline * layer_forward_time(context);
}

}  // namespace

StepProgram stage_programs(const TrainingJob& job, const Profile& profile, const Device& device,
                           const Placement& placement, const Cluster& cluster) {
  STEPCAST_REQUIRES(job.plan.data_parallel > 0 && job.plan.schedule.has_value());
  const WorkContext work{job, profile.framework, device};
  StepContext context{
      .work = work,
      .network = profile.network,
      .layer = layer_cost(work),
      .expert_layer =
          job.model.experts.used() ? layer_cost(work.of(LayerKind::Expert)) : LayerCost{},
      .head = head_cost(work),
      .embedding = embedding_cost(work),
      .prediction_projection = prediction_projection_cost(work),
      .straggling =
          1.0 + device.profile.kernel_time_spread.value * expected_maximum(placement.num_ranks()),
      .tensor_layout = first_group_layout(Group::Tensor, job, placement, cluster),
      .context_layout = first_group_layout(Group::Context, job, placement, cluster),
      .expert_layout = first_group_layout(Group::Expert, job, placement, cluster),
      .expert_tensor_layout = first_group_layout(Group::ExpertTensor, job, placement, cluster)};

  add_tensor_traits(context, cluster);
  const StallRisk stall = stall_risk(job, profile.framework.stalls, cluster.spec());
  if (stall.expected()) context.message_hold = stall.message_time;

  context.tensors = step_tensors(work, held_inputs_likelihood(held_forward_time(context), work));

  StepProgram program;
  for (int stage = 0; stage < job.plan.pipeline_parallel; ++stage) {
    program.programs.push_back(
        write_stage(stage_site(stage, job, profile.framework), context, program));
  }
  return program;
}

void add_ranks(const TrainingJob& job, const FrameworkProfile& framework,
               const Placement& placement, StepProgram& program) {
  for (int rank = 0; rank < placement.grid.num_ranks(); ++rank) {
    program.program_of_rank.push_back(placement.grid.coordinate(rank, Axis::Pipeline));
  }
  add_groups(job, placement.grid, head_stage(job, framework), program);
}

StepProgram training_step(const TrainingJob& job, const Profile& profile, const Device& device,
                          const Placement& placement, const Cluster& cluster) {
  StepProgram program = stage_programs(job, profile, device, placement, cluster);
  add_ranks(job, profile.framework, placement, program);
  return program;
}

}  // namespace stepcast
