#include "models/memory.h"

#include <algorithm>
#include <cmath>

#include "models/expert_traffic.h"
#include "models/gradient_compression.h"
#include "models/kernels.h"
#include "models/optimizer.h"
#include "models/sparsity.h"

namespace stepcast {
namespace {

constexpr double kMasterBytes = 4.0;

bool keeps_master(const WorkContext& c) {
  const Precision state = c.job.optimizer_state_precision.value_or(Precision::Fp32);
  return bytes_per_element(c.job.precision) < 4.0 && bytes_per_element(state) == 4.0;
}

// Sums of fp32 beside the 16-bit gradients of a micro-batch.
bool keeps_both_gradients(const WorkContext& c) {
  return c.framework.recipe.keeps_both_gradients && c.job.gradient_precision == Precision::Fp32 &&
         bytes_per_element(c.job.precision) < 4.0 && c.job.plan.zero_stage <= 1;
}

// A gradient as kept. With optimizer state in 16 bits, weights and gradients are 16-bit throughout.
double gradient_bytes(const WorkContext& c) {
  if (keeps_both_gradients(c)) return 4.0 + bytes_per_element(c.job.precision);
  if (c.job.gradient_precision) return bytes_per_element(*c.job.gradient_precision);
  if (bytes_per_element(c.job.precision) == 4.0) return 4.0;
  if (!keeps_master(c)) return bytes_per_element(*c.job.optimizer_state_precision);
  return c.job.precision == Precision::Fp16 ? c.framework.recipe.gradient_bytes_fp16
                                            : c.framework.recipe.gradient_bytes_bf16;
}

// Where the master is the weight, 16-bit weights live only while a unit is gathered; ZeRO 1 and 2
// gather all of them and keep them over the step.
double weight_bytes(const WorkContext& c) {
  const bool kept_whole = c.job.plan.zero_stage == 1 || c.job.plan.zero_stage == 2;
  const bool master_only = c.framework.recipe.master_is_weight && keeps_master(c) && !kept_whole;
  return master_only ? 0.0 : bytes_per_element(c.job.precision);
}

}  // namespace

Bytes communicator_buffers(const WorkContext& c) {
  const ParallelPlan& plan = c.job.plan;
  int communicators = 0;
  for (const int ranks :
       {plan.tensor_parallel, plan.context_parallel, plan.pipeline_parallel, data_group_size(plan),
        plan.expert_parallel, plan.expert_parallel > 1 ? expert_data_group_size(plan) : 1,
        plan.tensor_parallel * plan.pipeline_parallel}) {
    if (ranks > 1) ++communicators;
  }
  const int channels = c.device.gpu.architecture == GpuArchitecture::Volta ? 8 : 24;
  const Bytes connection = 4_MiB + 512_KiB + 4.9_MB;
  return 3.0 * c.framework.memory.communicator_sets.value * communicators * channels * connection;
}

int shard_ranks(const ParallelPlan& plan) {
  return plan.shard_group > 0 ? plan.shard_group : data_group_size(plan);
}

ModelShare layers_of(const ModelShare& share, int first, int count) {
  ModelShare part;
  for (int layer = first; layer < first + count; ++layer) {
    ++(share.kind(layer) == LayerKind::Dense ? part.layers : part.expert_layers);
    part.kept_layers += share.keeps_all(layer);
  }
  part.segment = share.segment;
  part.segment_begun = (share.segment_begun + first) % share.segment;
  part.segment_goes_on =
      part.kept_layers == 0 && count > 0 && !share.ends_segment(first + count - 1);
  return part;
}

namespace {

// Weights of a layer on one tensor-parallel rank, without routed experts.
std::int64_t layer_share(LayerKind kind, const WorkContext& c) {
  const Transformer& model = c.job.model;
  const std::int64_t experts =
      kind == LayerKind::Expert ? model.experts.num_experts * expert_parameters(model) : 0;
  const std::int64_t whole = replicated_layer_parameters(model, kind);
  return (layer_parameters(model, kind) - experts - whole) / c.job.plan.tensor_parallel + whole;
}

// Layers of multi-token prediction modules count as layers of the head's share.
int layers_of_kind(const ModelShare& share, LayerKind kind, const Transformer& model) {
  const int own = kind == LayerKind::Dense ? share.layers : share.expert_layers;
  const bool modules = share.head && last_layer_kind(model) == kind;
  return own + (modules ? model.multi_token_prediction : 0);
}

}  // namespace

std::int64_t share_parameters(const ModelShare& share, const WorkContext& c) {
  const Transformer& model = c.job.model;
  const int tensor = c.job.plan.tensor_parallel;
  const std::int64_t table = embedding_parameters(model, padded_vocab(c.job, c.framework)) / tensor;
  const bool one_table = share.embedding && share.head && model.tied_embeddings;
  std::int64_t parameters = 0;
  for (const LayerKind kind : {LayerKind::Dense, LayerKind::Expert}) {
    const int layers = layers_of_kind(share, kind, model);
    if (layers > 0) parameters += layers * layer_share(kind, c);
  }
  if (share.embedding) parameters += table;
  if (share.head) {
    parameters += (one_table ? 0 : table) + model.hidden_size;
    parameters += model.multi_token_prediction * (prediction_module_parameters(model) -
                                                  layer_parameters(model, last_layer_kind(model)));
  }
  if (share.embedding && model.position_embedding == PositionEmbedding::Learned) {
    parameters += static_cast<std::int64_t>(model.hidden_size) * c.job.batch.sequence_length;
  }
  return parameters;
}

StateBytes state_bytes(const WorkContext& c) {
  const double copy = keeps_both_gradients(c) ? 0.0 : c.framework.recipe.optimizer_gradient_bytes;
  const double master = keeps_master(c) ? kMasterBytes + copy : 0.0;
  return {weight_bytes(c), gradient_bytes(c), master + optimizer_moment_bytes(c)};
}

bool leaves_gradients_open(const WorkContext& c) {
  const PrecisionRecipe& recipe = c.framework.recipe;
  return recipe.keeps_both_gradients && recipe.keeps_fp32_unsaid.value > 0 &&
         c.job.precision == Precision::Bf16 && !c.job.gradient_precision && keeps_master(c) &&
         c.job.plan.zero_stage <= 1 && !c.job.plan.offload.optimizer;
}

std::int64_t share_expert_parameters(const ModelShare& share, const WorkContext& c) {
  const Transformer& model = c.job.model;
  const ParallelPlan& plan = c.job.plan;
  if (!model.experts.used()) return 0;
  const std::int64_t experts = model.experts.num_experts / plan.expert_parallel;
  return layers_of_kind(share, LayerKind::Expert, model) * experts * expert_parameters(model) /
         plan.expert_tensor_parallel;
}

TrainingJob job_of_experts(const TrainingJob& job) {
  TrainingJob of_experts = job;
  of_experts.plan.data_parallel = expert_data_group_size(job.plan) / model_copies(job.plan);
  of_experts.plan.context_parallel = 1;
  return of_experts;
}

ModelState expert_model_state(std::int64_t parameters, const WorkContext& c) {
  if (parameters == 0) return {};
  const TrainingJob of_experts = job_of_experts(c.job);
  return model_state(parameters, {of_experts, c.framework, c.device});
}

bool reduces_within_backward(const ParallelPlan& plan) {
  return plan.overlap_gradient_reduce.value_or(false) || plan.zero_stage == 2;
}

Bytes reduction_bucket(std::int64_t parameters, const WorkContext& c) {
  const ParallelPlan& plan = c.job.plan;
  if (plan.data_parallel == 1 || plan.zero_stage == 3) return Bytes();
  return std::min(plan.sharding.reduce_bucket.value_or(c.framework.communication.gradient_bucket),
                  Bytes(static_cast<double>(parameters) * gradient_reduce_bytes(c)));
}

ModelState model_state(std::int64_t parameters, const WorkContext& c) {
  const ParallelPlan& plan = c.job.plan;
  const double count = static_cast<double>(parameters);
  const double shards = shard_ranks(plan);
  const StateBytes bytes = state_bytes(c);
  ModelState state;
  if (!plan.offload.parameters) {
    state.weights =
        Bytes(count * (bytes.weight + mask_bytes(c.job)) / (plan.zero_stage >= 3 ? shards : 1.0));
  }
  // ZeRO-Offload lets a gradient go to the host as soon as it is reduced to its shard.
  const bool on_host = plan.offload.optimizer && plan.zero_stage >= 2;
  if (!on_host) {
    state.gradients = Bytes(count * bytes.gradient / (plan.zero_stage >= 2 ? shards : 1.0));
  }
  if (plan.data_parallel > 1 && plan.zero_stage < 3) {
    state.gradients += Bytes(count * c.framework.recipe.bucket_bytes_per_parameter);
  }
  if (reduces_within_backward(plan)) state.gradients += reduction_bucket(parameters, c);
  if (!plan.offload.optimizer) {
    state.optimizer = Bytes(count * bytes.optimizer / (plan.zero_stage >= 1 ? shards : 1.0));
  }
  state.optimizer += Bytes(count * compression_state_bytes(c));
  return state;
}

double gradient_reduce_bytes(const WorkContext& c) {
  if (c.job.gradient_precision) return bytes_per_element(*c.job.gradient_precision);
  if (bytes_per_element(c.job.precision) == 4.0) return 4.0;
  return c.job.precision == Precision::Fp16 ? c.framework.recipe.gradient_reduce_bytes_fp16
                                            : c.framework.recipe.gradient_reduce_bytes_bf16;
}

double parameter_gather_bytes(const WorkContext& c) {
  return c.job.plan.sharding.quantized_gather ? kScaledByte : bytes_per_element(c.job.precision);
}

Seconds dequantization_time(std::int64_t parameters, const WorkContext& c) {
  if (!c.job.plan.sharding.quantized_gather) return {};
  const double both = kScaledByte + bytes_per_element(c.job.precision);
  const double passes = 1.0 + 1.0 / shard_ranks(c.job.plan);
  return memory_bound_time(Bytes(both * passes * static_cast<double>(parameters)), c.device);
}

Bytes logit_bytes(const WorkContext& c) {
  const double logits = static_cast<double>(tokens_per_micro_batch(c.job)) *
                        static_cast<double>(padded_vocab(c.job, c.framework)) /
                        c.job.plan.tensor_parallel;
  // With stages behind the head's, the micro-batch before is in flight there and has its own.
  const auto places = static_cast<int>(layers_per_chunk(c.job, c.framework).size());
  const bool at_the_end = head_place(c.job, c.framework) == places - 1;
  const bool previous = at_the_end && num_micro_batches(c.job) > 1;
  return Bytes(logits * (c.framework.memory.logit_bytes.value +
                         (previous ? c.framework.memory.logit_bytes_previous.value : 0.0)));
}

GatherUnits gather_units(const WorkContext& c) {
  const ShardingTraffic& sharding = c.job.plan.sharding;
  GatherUnits units;
  units.ahead = sharding.prefetch_units.value_or(1);
  if (sharding.gather_limit) units.ahead = std::min(units.ahead, *sharding.gather_limit - 1);
  units.messages = c.framework.communication.zero3_collectives_per_layer;
  if (!sharding.gather_bucket) return units;
  const bool experts = last_layer_kind(c.job.model) == LayerKind::Expert;
  const ModelShare one{.layers = experts ? 0 : 1, .expert_layers = experts ? 1 : 0};
  const Bytes layer(
      parameter_gather_bytes(c) *
      static_cast<double>(share_parameters(one, c) + share_expert_parameters(one, c)));
  units.layers = std::max(1, static_cast<int>(*sharding.gather_bucket / layer));
  units.messages =
      std::max(1, static_cast<int>(std::ceil(units.layers * layer / *sharding.gather_bucket)));
  return units;
}

Bytes gathered_parameters(const ModelShare& share, const WorkContext& c) {
  const ParallelPlan& plan = c.job.plan;
  if (plan.zero_stage < 3) return Bytes();
  const GatherUnits units = gather_units(c);
  const int layers =
      plan.sharding.reshard_after_forward ? units.layers * (units.ahead + 1) : share.all_layers();
  // Layers with experts, the larger ones, as many as there are. Experts that no other rank holds
  // are not gathered.
  const int with_experts = std::min(layers, share.expert_layers);
  const ModelShare gathered{.layers = std::min(layers - with_experts, share.layers),
                            .expert_layers = with_experts,
                            .embedding = share.embedding,
                            .head = share.head};
  const bool shared = with_experts > 0 && expert_data_group_size(plan) > 1;
  const std::int64_t experts = shared ? share_expert_parameters(gathered, c) : 0;
  return Bytes(bytes_per_element(c.job.precision) *
               static_cast<double>(share_parameters(gathered, c) + experts));
}

}  // namespace stepcast
