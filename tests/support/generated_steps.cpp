#include "tests/support/generated_steps.h"

#include <algorithm>
#include <random>
#include <string>

#include "base/contract.h"
#include "models/pipeline_schedule.h"

namespace stepcast::test {
namespace {

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}

  template <class Value>
  Value pick(std::initializer_list<Value> choices) {
    return choices.begin()[engine_() % choices.size()];
  }
  int below(int n) { return static_cast<int>(engine_() % static_cast<unsigned>(n)); }
  bool once_in(unsigned n) { return engine_() % n == 0; }

 private:
  std::mt19937 engine_;  // its raw output is the same on every platform, unlike std's distributions
};

// GPUs share PCIe switches and sockets with the NICs, on some nodes without NVLink.
void vary_inside_of_node(NodeSpec& node, Dice& dice) {
  if (dice.once_in(3)) node.interconnect = GpuInterconnect::Pcie;
  if (dice.once_in(6)) node.interconnect = GpuInterconnect::NvLinkMesh;
  node.gpus_per_pcie_switch = std::min(node.gpus, dice.pick({1, 2, 4}));
  node.pcie_switch_bandwidth = dice.pick({24_GB_per_s, 48_GB_per_s});
}

void add_faults(ClusterSpec& spec, Dice& dice) {
  const int gpus = spec.nodes * spec.node.gpus;
  if (dice.once_in(4)) {
    spec.faults.push_back({.gpu = dice.below(gpus), .rate = 0.8, .link = {}, .bandwidth = {}});
  }
  if (spec.nodes > 1 && dice.once_in(4)) {
    const std::string nic = "node" + std::to_string(dice.below(spec.nodes)) + "/nic" +
                            std::to_string(dice.below(spec.fabric.nics_per_node));
    spec.faults.push_back({.gpu = -1, .rate = 1.0, .link = nic, .bandwidth = 7_GB_per_s});
  }
}

// Three levels, hashed paths, switches that reduce, other shapes, other jobs.
void vary_network(ClusterSpec& spec, Dice& dice) {
  if (spec.nodes == 1) return;
  FabricSpec& fabric = spec.fabric;
  fabric.leaves_per_pod = fabric.layout == FabricLayout::FatTree ? dice.pick({0, 0, 2}) : 0;
  fabric.equal_cost_paths = fabric.layout != FabricLayout::SingleSwitch ? dice.pick({0, 0, 2}) : 0;
  fabric.sharp = dice.once_in(3);
  if (dice.once_in(8)) {
    spec.faults.clear();  // they may name leaves
    fabric.layout = dice.pick({FabricLayout::Torus, FabricLayout::Dragonfly});
    fabric.torus_dimensions = {2, (spec.nodes + 1) / 2};
    fabric.routers_per_group = 2;
    fabric.sharp = false;
  }
  if (dice.once_in(4)) {
    spec.background.push_back({.from = -1,
                               .to = -1,
                               .rails = {dice.below(fabric.nics_per_node)},
                               .rate = dice.pick({4_GB_per_s, 16_GB_per_s})});
  }
  if (dice.once_in(8)) {
    spec.background.push_back(
        {.from = 0, .to = spec.nodes * spec.node.gpus - 1, .rails = {}, .rate = 16_GB_per_s});
  }
  // NVLS and NVLSTree under NVSwitches.
  if (dice.once_in(2)) spec.node.gpu.architecture = GpuArchitecture::Hopper;
}

// NICs for 1, 2, 4 or 8 GPUs; a node size that divides the GPUs, so that groups may not fit it.
ClusterSpec cluster_for(int gpus, Dice& dice) {
  int per_node = std::min(gpus, dice.pick({2, 4, 8}));
  while (gpus % per_node != 0) per_node /= 2;
  ClusterSpec spec =
      small_cluster(gpus / per_node, per_node, std::max(1, per_node / dice.pick({1, 2, 4, 8})));
  spec.fabric.layout =
      dice.pick({FabricLayout::RailOptimized, FabricLayout::FatTree, FabricLayout::SingleSwitch});
  spec.fabric.nodes_per_leaf = dice.pick({2, 3, 8});
  spec.fabric.oversubscription = dice.pick({1, 2, 4});
  vary_inside_of_node(spec.node, dice);
  spec.node.host_cores = dice.pick({0, 4, 64});
  add_faults(spec, dice);
  vary_network(spec, dice);
  return spec;
}

void vary_schedule(TrainingJob& job, Dice& dice) {
  const int stages = job.plan.pipeline_parallel;
  if (stages == 1) return;
  if (dice.once_in(3)) job.plan.schedule = dice.pick({Schedule::GPipe, Schedule::ZeroBubble});
  if (dice.once_in(5)) {
    job.plan.schedule = Schedule::ZeroBubbleV;
    job.plan.virtual_pipeline = 2;
  } else if (dice.once_in(5)) {
    job.plan.schedule = Schedule::DualPipe;
    job.plan.overlap_gradient_reduce = false;
    job.plan.overlap_parameter_gather = false;
    job.batch.global_batch = 2 * stages * job.plan.data_parallel;
  } else if (stages <= 4 && dice.once_in(3)) {
    job.plan.schedule = Schedule::Interleaved;
    job.plan.virtual_pipeline = 2;
  } else if (stages == 2 && dice.once_in(4)) {
    job.plan.layers_per_stage = {3, 5};
  }
}

void vary_data_parallel(ParallelPlan& plan, Dice& dice) {
  plan.overlap_gradient_reduce = dice.once_in(2);
  plan.overlap_parameter_gather = dice.once_in(2);
  plan.zero_stage = dice.pick({0, 1});
  if (plan.pipeline_parallel > 1 || !dice.once_in(2)) return;
  plan.zero_stage = dice.pick({2, 3});
  if (plan.zero_stage == 3 && plan.data_parallel % 2 == 0 && dice.once_in(3)) plan.shard_group = 2;
}

void vary_offload(ParallelPlan& plan, Dice& dice) {
  plan.offload.optimizer = dice.once_in(4);
  plan.offload.activations = dice.once_in(6);
  if (plan.zero_stage < 3) return;
  plan.offload.parameters = dice.once_in(3);
  if (*plan.overlap_parameter_gather) plan.sharding.prefetch_units = dice.pick({0, 1, 2});
  plan.sharding.quantized_gather = dice.once_in(4);
  plan.sharding.reshard_after_forward = !dice.once_in(4);
  if (dice.once_in(3)) plan.sharding.gather_bucket = dice.pick({5_MB, 60_MB});
}

void vary_techniques(TrainingJob& job, Dice& dice) {
  ParallelPlan& plan = job.plan;
  using enum GradientCompression;
  if (data_group_size(plan) > 1 && dice.once_in(4)) {
    plan.gradient_compression = plan.zero_stage == 0 ? dice.pick({Fp16, Int8, OneBitAdam, PowerSgd})
                                                     : dice.pick({Fp16, Int8});
  }
  if (plan.recompute == Recompute::Full && !plan.offload.activations && dice.once_in(2)) {
    using enum RecomputeMethod;
    plan.recompute_method = dice.pick({Uniform, Block, SquareRoot});
    plan.recompute_num_layers = dice.pick({2, 3});
  }
  if (dice.once_in(5)) job.fine_tuning = FineTuning{.rank = 8};
  if (!plan.offload.optimizer && dice.once_in(5)) job.optimizer = Optimizer::Muon;
}

// Experts on some of the ranks that share no matrices, or on all of a stage's.
void vary_experts(TrainingJob& job, Dice& dice) {
  ParallelPlan& plan = job.plan;
  job.model.gated_mlp = true;
  job.model.experts = {.num_experts = 24,
                       .experts_per_token = 3,
                       .ffn_hidden_size = 512,
                       .shared_ffn_hidden_size = dice.pick({0, 1024}),
                       .dense_layers = dice.pick({0, 1, 3})};
  plan.sequence_parallel = plan.tensor_parallel > 1;
  plan.expert_tensor_parallel = dice.once_in(2) ? 1 : plan.tensor_parallel;
  const int ranks = plan.tensor_parallel * plan.context_parallel * plan.data_parallel /
                    plan.expert_tensor_parallel;
  const int share = dice.pick({1, 2, 3, 4, 6, 12});
  plan.expert_parallel = ranks % share == 0 ? share : 1;
  plan.expert_load_imbalance = dice.pick({1.0, 1.25});
  if (plan.expert_parallel > 1) {
    plan.expert_dispatch = dice.pick({ExpertDispatch::AllToAll, ExpertDispatch::OncePerNode});
  }
  plan.overlap_shared_experts = job.model.experts.shared_ffn_hidden_size > 0 && dice.once_in(2);
  job.model.multi_token_prediction = dice.once_in(3) ? 1 : 0;
  if (data_group_size(plan) > 1 && dice.once_in(4)) {
    plan.gradient_compression = dice.pick({GradientCompression::Fp16, GradientCompression::Int8});
  }
  if (plan.recompute == Recompute::Full && dice.once_in(3)) {
    plan.recompute_method = RecomputeMethod::SquareRoot;
  }
}

void vary_attention(TrainingJob& job, Dice& dice) {
  if (job.plan.context_parallel > 1) {
    job.plan.context_parallel_algorithm = dice.pick(
        {ContextAlgorithm::Ring, ContextAlgorithm::AllGather, ContextAlgorithm::AllToAll});
  }
  if (dice.once_in(4)) {
    job.model.latent_attention = {.q_lora_rank = dice.pick({0, 384}),
                                  .kv_lora_rank = 128,
                                  .qk_nope_head_size = 64,
                                  .qk_rope_head_size = 32,
                                  .v_head_size = 64};
  }
}

TrainingJob job_for(const PlanShape& shape, int context, Dice& dice) {
  TrainingJob job = small_job(shape);
  job.plan.context_parallel = context;
  job.plan.sequence_parallel = shape.tensor > 1 && dice.once_in(2);
  job.plan.recompute = dice.pick({Recompute::None, Recompute::Selective, Recompute::Full});
  if (job.plan.recompute == Recompute::Selective) {
    job.plan.recompute_operations = {.norm = true, .activation = dice.once_in(2)};
  }
  job.model.tied_embeddings = dice.once_in(3);
  // Pipeline neighbours next to each other, or tensor groups spread over nodes.
  job.plan.rank_order =
      dice.pick({"tp-cp-ep-dp-pp", "tp-cp-ep-dp-pp", "tp-cp-ep-pp-dp", "dp-tp-cp-ep-pp"});
  vary_data_parallel(job.plan, dice);
  vary_schedule(job, dice);
  vary_attention(job, dice);
  const bool experts_can = job.plan.shard_group == 0;
  if (experts_can && dice.once_in(3)) {
    vary_experts(job, dice);
  } else if (!splits_backward(*job.plan.schedule)) {
    vary_offload(job.plan, dice);
    if (!job.model.latent_attention.used()) vary_techniques(job, dice);
  }
  return job;
}

Profile profile_for(Dice& dice) {
  Profile profile = plain_profile();
  profile.framework.communication.overlap_pipeline_messages = dice.once_in(2);
  profile.framework.communication.scatter_pipeline_messages = dice.once_in(3);
  profile.framework.communication.overlap_slowdown.value = dice.pick({0.0, 0.05});
  return profile;
}

}  // namespace

GeneratedStep generate_step(unsigned seed) {
  Dice dice(seed);
  PlanShape shape{.tensor = dice.pick({1, 2, 4}),
                  .pipeline = dice.pick({1, 1, 2, 4}),
                  .data = dice.pick({1, 2, 3, 4, 6}),  // rings that fit no node boundary among them
                  .micro_batches = 4};
  const int context = dice.pick({1, 1, 1, 2});
  if (shape.tensor * shape.pipeline * shape.data * context % 2 != 0) shape.tensor *= 2;
  const int gpus = shape.tensor * shape.pipeline * shape.data * context;
  GeneratedStep step{job_for(shape, context, dice), cluster_for(gpus, dice), profile_for(dice)};
  STEPCAST_REQUIRES(violations(step.job, gpus).empty());
  return step;
}

void send_all_to_all(StepProgram& program) {
  bool every_other = false;
  for (Operation& operation : program.operations) {
    if (operation.kind == CollectiveKind::SendReceive) continue;
    every_other = !every_other;
    if (every_other) operation.kind = CollectiveKind::AllToAll;
  }
}

}  // namespace stepcast::test
