#include "models/layer_shapes.h"

#include <algorithm>
#include <cmath>

#include "models/expert_traffic.h"

namespace stepcast {
namespace {

// Heads and query groups of one tensor-parallel rank. Latent attention has a key for every head.
struct Heads {
  std::int64_t queries;
  std::int64_t groups;
};

Heads heads_of(const TrainingJob& job) {
  const int tensor = job.plan.tensor_parallel;
  const std::int64_t queries = job.model.num_attention_heads / tensor;
  if (job.model.latent_attention.used()) return {queries, queries};
  return {queries, std::max(1, job.model.num_query_groups / tensor)};
}

double product(std::int64_t a, std::int64_t b) {
  return static_cast<double>(a) * static_cast<double>(b);
}

Linears mlp_linears(std::int64_t rows, std::int64_t ffn, std::int64_t batch,
                    const Transformer& model) {
  return {{rows, ffn * (model.gated_mlp ? 2 : 1), model.hidden_size, batch},
          {rows, model.hidden_size, ffn, batch}};
}

// The projections to the narrow widths are whole on every tensor-parallel rank.
void add_latent_attention(const TrainingJob& job, LayerShapes& shapes) {
  const LatentAttention& latent = job.model.latent_attention;
  const std::int64_t heads = heads_of(job).queries;
  const std::int64_t tokens = shapes.tokens;
  const std::int64_t queries = heads * latent.qk_head_size();
  if (latent.q_lora_rank > 0) {
    shapes.attention_input.push_back({tokens, latent.q_lora_rank, shapes.hidden});
    shapes.attention_input.push_back({tokens, queries, latent.q_lora_rank});
  } else {
    shapes.attention_input.push_back({tokens, queries, shapes.hidden});
  }
  shapes.attention_input.push_back(
      {tokens, latent.kv_lora_rank + latent.qk_rope_head_size, shapes.hidden});
  shapes.attention_input.push_back(
      {tokens, heads * (latent.qk_nope_head_size + latent.v_head_size), latent.kv_lora_rank});
  shapes.attention_output = {tokens, shapes.hidden, heads * latent.v_head_size};
  shapes.latent_elements = product(tokens, latent.q_lora_rank + latent.kv_lora_rank);
  shapes.rotary_elements = product(tokens, (heads + 1) * latent.qk_rope_head_size);
  // The mean of the two head sizes gives the FLOP and bytes of products by either.
  shapes.attention.head_size = (latent.qk_head_size() + latent.v_head_size) / 2;
}

void add_attention(const TrainingJob& job, LayerShapes& shapes) {
  const Transformer& model = job.model;
  const Heads heads = heads_of(job);
  shapes.attention = {.micro_batch = job.batch.micro_batch,
                      .heads = heads.queries,
                      .groups = heads.groups,
                      .head_size = model.head_size,
                      .queries = job.batch.sequence_length / job.plan.context_parallel,
                      .keys = job.batch.sequence_length,
                      .causal = true};
  if (model.latent_attention.used()) {
    add_latent_attention(job, shapes);
    return;
  }
  const std::int64_t width = (heads.queries + 2 * heads.groups) * model.head_size;
  shapes.attention_input = {{shapes.tokens, width, shapes.hidden}};
  shapes.attention_output = {shapes.tokens, shapes.hidden, heads.queries * model.head_size};
  shapes.biased_elements = product(shapes.tokens, width);
  if (model.position_embedding == PositionEmbedding::Rotary) {
    shapes.rotary_elements =
        product(shapes.tokens, (heads.queries + heads.groups) * model.head_size);
  }
}

void add_experts(const TrainingJob& job, LayerShapes& shapes) {
  const ExpertLayers& experts = job.model.experts;
  const ParallelPlan& plan = job.plan;
  const double routed = routed_tokens(job);
  const double rows = expert_rows(job);
  const std::int64_t ffn = experts.ffn_hidden_size / plan.expert_tensor_parallel;
  const std::int64_t shared = experts.shared_ffn_hidden_size / plan.tensor_parallel;
  shapes.mlp = {{std::llround(routed), experts.num_experts, shapes.hidden}};
  shapes.expert = mlp_linears(std::max(1LL, std::llround(rows_of_one_expert(job))), ffn,
                              experts.num_experts / plan.expert_parallel, job.model);
  if (shared > 0) shapes.shared = mlp_linears(shapes.tokens, shared, 1, job.model);
  shapes.routed_elements = routed * experts.experts_per_token * static_cast<double>(shapes.hidden);
  shapes.expert_elements = rows * static_cast<double>(shapes.hidden);
  shapes.expert_ffn_elements = rows * static_cast<double>(ffn);
  shapes.shared_ffn_elements = product(shapes.tokens, shared);
}

}  // namespace

LayerShapes layer_shapes(const TrainingJob& job, LayerKind kind) {
  LayerShapes shapes;
  shapes.tokens = tokens_per_micro_batch(job);
  shapes.hidden = job.model.hidden_size;
  const int tensor = job.plan.tensor_parallel;
  shapes.hidden_elements =
      product(shapes.tokens, shapes.hidden) / (job.plan.sequence_parallel ? tensor : 1);
  add_attention(job, shapes);
  if (kind == LayerKind::Expert) {
    add_experts(job, shapes);
  } else {
    const std::int64_t ffn = job.model.ffn_hidden_size / tensor;
    shapes.mlp = mlp_linears(shapes.tokens, ffn, 1, job.model);
    shapes.ffn_elements = product(shapes.tokens, ffn);
  }
  return shapes;
}

double key_value_width(const TrainingJob& job) {
  const std::int64_t groups = heads_of(job).groups;
  const LatentAttention& latent = job.model.latent_attention;
  if (latent.used()) return product(groups, latent.qk_head_size() + latent.v_head_size);
  return product(2 * groups, job.model.head_size);
}

}  // namespace stepcast
