#include "models/memory.h"

#include <algorithm>
#include <cmath>

#include "models/expert_traffic.h"
#include "models/gradient_compression.h"
#include "models/optimizer.h"
#include "models/recompute.h"
#include "models/sparsity.h"

namespace stepcast {
namespace {

constexpr double kUndividedBytes = 10.0;  // of a_h, without sequence parallelism
constexpr double kScoreBytes = 5.0;       // softmax output 2, dropout mask 1, dropout output 2
constexpr double kElementBytes = 2.0;
constexpr double kAttentionTensors = 4.0;     // of a_h: query, key, value, output of the heads
constexpr double kPlainMlpShare = 2.0 / 3.0;  // of a_f: two tensors instead of gate, up and product
constexpr double kMasterBytes = 4.0;

bool keeps_master(const WorkContext& c) {
  const Precision state = c.job.optimizer_state_precision.value_or(Precision::Fp32);
  return bytes_per_element(c.job.precision) < 4.0 && bytes_per_element(state) == 4.0;
}

// A gradient as kept. With optimizer state in 16 bits, weights and gradients are 16-bit throughout.
double gradient_bytes(const WorkContext& c) {
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

// Elements of [tokens, ffn] that one token keeps on a rank, routed and shared experts' together.
double ffn_width_per_token(const WorkContext& c) {
  const Transformer& model = c.job.model;
  const ParallelPlan& plan = c.job.plan;
  if (c.layer == LayerKind::Dense) {
    return static_cast<double>(model.ffn_hidden_size) / plan.tensor_parallel;
  }
  const double tokens = static_cast<double>(tokens_per_micro_batch(c.job));
  return expert_rows(c.job) / tokens * model.experts.ffn_hidden_size / plan.expert_tensor_parallel +
         static_cast<double>(model.experts.shared_ffn_hidden_size) / plan.tensor_parallel;
}

// Queries, keys, values and the heads' output of one token, on one rank.
double attention_width_per_token(const WorkContext& c) {
  const Transformer& model = c.job.model;
  const LatentAttention& latent = model.latent_attention;
  const double tensor = c.job.plan.tensor_parallel;
  const double heads = model.num_attention_heads;
  if (latent.used()) {
    const double narrow = latent.q_lora_rank + latent.kv_lora_rank + latent.qk_rope_head_size;
    return 2.0 * heads * (latent.qk_head_size() + latent.v_head_size) / tensor + 2.0 * narrow;
  }
  return 2.0 * (heads + model.num_query_groups) * model.head_size / tensor;
}

// What the MLP's own tensors take of one token, at two bytes an element.
double mlp_bytes_per_token(const WorkContext& c) {
  return c.framework.memory.activation_bytes_ffn.value *
         (c.job.model.gated_mlp ? 1.0 : kPlainMlpShare) * ffn_width_per_token(c);
}

double layer_activation_bytes_per_token(const WorkContext& c) {
  const Transformer& model = c.job.model;
  const ParallelPlan& plan = c.job.plan;
  const double tensor = plan.tensor_parallel;
  const double hidden = model.hidden_size;
  const double undivided =
      plan.sequence_parallel || plan.tensor_parallel == 1 ? 0.0 : kUndividedBytes;
  // Four tensors of a_h have the widths of attention, which need not be the hidden state's.
  const double divided = c.framework.memory.activation_bytes_hidden.value - undivided -
                         kAttentionTensors * kElementBytes;
  const double per_hidden = divided / tensor + undivided;
  const double routed =
      c.layer == LayerKind::Expert
          ? expert_rows(c.job) / static_cast<double>(tokens_per_micro_batch(c.job))
          : 0.0;
  return ((per_hidden + 2.0 * kElementBytes * routed) * hidden +
          kElementBytes * attention_width_per_token(c) + mlp_bytes_per_token(c)) *
         (bytes_per_element(c.job.precision) / 2.0);
}

Bytes score_bytes(const WorkContext& c) {
  if (c.job.attention != AttentionKernel::Unfused) return Bytes();
  const double scores = static_cast<double>(tokens_per_micro_batch(c.job)) *
                        c.job.batch.sequence_length * c.job.model.num_attention_heads /
                        c.job.plan.tensor_parallel;
  return Bytes(kScoreBytes * scores);
}

Bytes layer_activations(const WorkContext& c) {
  return Bytes(static_cast<double>(tokens_per_micro_batch(c.job)) *
               layer_activation_bytes_per_token(c));
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
  return 3.0 * communicators * channels * connection;
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
  const double master =
      keeps_master(c) ? kMasterBytes + c.framework.recipe.optimizer_gradient_bytes : 0.0;
  return {weight_bytes(c), gradient_bytes(c), master + optimizer_moment_bytes(c)};
}

std::int64_t share_expert_parameters(const ModelShare& share, const WorkContext& c) {
  const Transformer& model = c.job.model;
  const ParallelPlan& plan = c.job.plan;
  if (!model.experts.used()) return 0;
  const std::int64_t experts = model.experts.num_experts / plan.expert_parallel;
  return layers_of_kind(share, LayerKind::Expert, model) * experts * expert_parameters(model) /
         plan.expert_tensor_parallel;
}

ModelState expert_model_state(std::int64_t parameters, const WorkContext& c) {
  if (parameters == 0) return {};
  TrainingJob of_experts = c.job;
  of_experts.plan.data_parallel = expert_data_group_size(c.job.plan) / model_copies(c.job.plan);
  of_experts.plan.context_parallel = 1;
  return model_state(parameters, {of_experts, c.framework, c.device});
}

ModelState model_state(std::int64_t parameters, const WorkContext& c) {
  const ParallelPlan& plan = c.job.plan;
  const double count = static_cast<double>(parameters);
  const double shards = shard_ranks(plan);
  const StateBytes bytes = state_bytes(c);
  const bool buckets = plan.data_parallel > 1 && plan.zero_stage < 3;
  const Bytes bucket =
      std::min(plan.sharding.reduce_bucket.value_or(c.framework.communication.gradient_bucket),
               Bytes(count * gradient_reduce_bytes(c)));
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
  if (buckets) {
    state.gradients += Bytes(count * c.framework.recipe.bucket_bytes_per_parameter) + bucket;
  }
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

double parameter_gather_bytes(const WorkContext& c) { return bytes_per_element(c.job.precision); }

Bytes layer_input(const WorkContext& c) {
  const int split = c.job.plan.sequence_parallel ? c.job.plan.tensor_parallel : 1;
  return Bytes(bytes_per_element(c.job.precision) *
               static_cast<double>(tokens_per_micro_batch(c.job)) * c.job.model.hidden_size /
               split);
}

Bytes layer_stash(const WorkContext& c) {
  const Bytes all = layer_activations(c) + score_bytes(c);
  if (c.job.plan.recompute != Recompute::Selective) return all;
  const double whole = c.framework.kernels.selective_recompute_layers;
  if (whole == 0) return layer_activations(c);
  return whole * layer_input(c) + (1.0 - whole) * all;
}

Bytes layer_stash_of_mlp(const WorkContext& c) {
  if (layer_stash(c) < layer_activations(c)) return Bytes();
  return Bytes(static_cast<double>(tokens_per_micro_batch(c.job)) * mlp_bytes_per_token(c) *
               (bytes_per_element(c.job.precision) / 2.0));
}

Bytes stashed_activations(int layers, const WorkContext& c) {
  const RecomputedLayers parts = recomputed_layers(layers, c.job.plan);
  return parts.checkpoints() * layer_input(c) + (layers - parts.again) * layer_stash(c);
}

Bytes gathered_inputs(const WorkContext& c) {
  if (c.job.plan.tensor_parallel == 1) return Bytes();
  return Bytes(c.framework.memory.activation_bytes_gathered.value *
               static_cast<double>(tokens_per_micro_batch(c.job)) * c.job.model.hidden_size *
               (bytes_per_element(c.job.precision) / 2.0));
}

Bytes recompute_working_set(int layers, const WorkContext& c) {
  const bool whole_layers = c.job.plan.recompute == Recompute::Full ||
                            (c.job.plan.recompute == Recompute::Selective &&
                             c.framework.kernels.selective_recompute_layers > 0);
  if (!whole_layers) return Bytes();
  const int segment = std::max(1, recomputed_layers(layers, c.job.plan).segment);
  return segment * (layer_activations(c) + score_bytes(c));
}

Bytes logit_bytes(const WorkContext& c) {
  const double logits = static_cast<double>(tokens_per_micro_batch(c.job)) *
                        static_cast<double>(padded_vocab(c.job, c.framework)) /
                        c.job.plan.tensor_parallel;
  const bool previous = num_micro_batches(c.job) > 1;
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
  const Bytes layer(parameter_gather_bytes(c) *
                    static_cast<double>(share_parameters({.layers = 1}, c)));
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
      plan.sharding.reshard_after_forward ? units.layers * (units.ahead + 1) : share.layers;
  const ModelShare gathered{
      .layers = std::min(layers, share.layers), .embedding = share.embedding, .head = share.head};
  return Bytes(parameter_gather_bytes(c) * static_cast<double>(share_parameters(gathered, c)));
}

}  // namespace stepcast
