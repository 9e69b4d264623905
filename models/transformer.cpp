// Counts of a decoder transformer. Linear layers carry biases where the norms are LayerNorms (GPT);
// neither norms nor linear layers do in the LLaMA family, whose norms are RMSNorms.
#include "models/transformer.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/contract.h"
#include "base/fields.h"

namespace stepcast {
namespace {

constexpr std::array<std::pair<PositionEmbedding, std::string_view>, 3> position_embeddings{{
    {PositionEmbedding::Learned, "learned"},
    {PositionEmbedding::Rotary, "rotary"},
    {PositionEmbedding::Alibi, "alibi"},
}};

/// An absent key keeps its member, so what it means to say nothing is set just before the key is
/// read. When writing, the members stand as they are.
template <class Value>
void defaults_to(const Fields& f, Value& member, Value value) {
  if (f.reading()) member = value;
}

// Far beyond any model, and products of two sizes stay inside 64 bits.
constexpr double max_size = 1e8;

void describe_shape(Fields& f, Transformer& model) {
  f.field("num_layers", model.num_layers,
          {.presence = Presence::Required,
           .at_least = 1,
           .at_most = max_size,
           .doc = "decoder layers"});
  f.field("hidden_size", model.hidden_size,
          {.presence = Presence::Required,
           .at_least = 1,
           .at_most = max_size,
           .doc = "width of the residual stream"});
  f.field(
      "num_attention_heads", model.num_attention_heads,
      {.presence = Presence::Required, .at_least = 1, .at_most = max_size, .doc = "query heads"});
  f.field("vocab_size", model.vocab_size,
          {.presence = Presence::Required,
           .at_least = 1,
           .at_most = max_size,
           .doc = "tokens, before padding"});
  defaults_to(f, model.num_query_groups, model.num_attention_heads);
  f.field("num_query_groups", model.num_query_groups,
          {.at_least = 1,
           .at_most = max_size,
           .doc = "key/value heads; num_attention_heads unless said"});
  defaults_to(f, model.ffn_hidden_size, 4 * model.hidden_size);
  f.field(
      "ffn_hidden_size", model.ffn_hidden_size,
      {.at_least = 1, .at_most = max_size, .doc = "width of the MLP; 4 x hidden_size unless said"});
  const bool divides = f.reading() && model.hidden_size % model.num_attention_heads == 0;
  defaults_to(f, model.head_size, divides ? model.hidden_size / model.num_attention_heads : 0);
  f.field(
      "head_size", model.head_size,
      {.at_least = 1, .at_most = max_size, .doc = "hidden_size / num_attention_heads unless said"});
}

void describe_family(Fields& f, Transformer& model) {
  f.field("gated_mlp", model.gated_mlp, {.doc = "three matrices (SwiGLU) instead of two"});
  const bool plain = !model.gated_mlp;
  defaults_to(f, model.tied_embeddings, plain);
  f.field("tied_embeddings", model.tied_embeddings,
          {.doc = "the output layer is the embedding table; true unless said for a plain MLP"});
  defaults_to(f, model.linear_bias, plain);
  f.field("linear_bias", model.linear_bias,
          {.doc = "linear layers and norms have biases; true unless said for a plain MLP"});
  defaults_to(f, model.position_embedding,
              plain ? PositionEmbedding::Learned : PositionEmbedding::Rotary);
  f.field("position_embedding", model.position_embedding, position_embeddings,
          {.doc = "learned unless said for a plain MLP, else rotary"});
  f.field(
      "max_sequence_length", model.max_sequence_length,
      {.at_least = 0, .doc = "rows of a learned position table; 0: the batch's sequence length"});
}

/// A size that most models do not have: written and read only where it is not `none`.
void size_where_used(Fields& f, const char* key, int& member, int none, const char* doc) {
  std::optional<int> size;
  if (member != none) size = member;
  f.field(key, size, {.at_least = 1, .at_most = max_size, .doc = doc});
  if (f.reading()) member = size.value_or(member);
}

void describe_latent_attention(Fields& f, LatentAttention& latent) {
  size_where_used(f, "kv_lora_rank", latent.kv_lora_rank, 0,
                  "latent attention: width that keys and values are projected to");
  size_where_used(f, "q_lora_rank", latent.q_lora_rank, 0,
                  "latent attention: width that queries are projected to; none unless said");
  size_where_used(f, "qk_nope_head_size", latent.qk_nope_head_size, 0,
                  "latent attention: head size of queries and keys without position");
  size_where_used(f, "qk_rope_head_size", latent.qk_rope_head_size, 0,
                  "latent attention: head size of queries and keys with rotary position");
  size_where_used(f, "v_head_size", latent.v_head_size, 0, "latent attention: head size of values");
  if (!f.reading()) return;
  const bool any = latent.used() || latent.q_lora_rank > 0 || latent.qk_nope_head_size > 0 ||
                   latent.qk_rope_head_size > 0 || latent.v_head_size > 0;
  const bool all = latent.used() && latent.qk_nope_head_size > 0 && latent.v_head_size > 0;
  if (any && !all) {
    f.fault("kv_lora_rank", "latent attention is described in part",
            "state kv_lora_rank, qk_nope_head_size and v_head_size, and q_lora_rank and "
            "qk_rope_head_size where the model has them");
  }
}

void describe_experts(Fields& f, ExpertLayers& experts) {
  size_where_used(f, "num_experts", experts.num_experts, 0, "routed experts of a layer");
  size_where_used(f, "experts_per_token", experts.experts_per_token, 0, "the router's top k");
  size_where_used(f, "expert_ffn_hidden_size", experts.ffn_hidden_size, 0, "width of one expert");
  size_where_used(f, "shared_expert_ffn_hidden_size", experts.shared_ffn_hidden_size, 0,
                  "width of the experts that every token passes, together; none unless said");
  size_where_used(f, "dense_layers", experts.dense_layers, 0,
                  "first layers, with an MLP of ffn_hidden_size in place of experts");
  size_where_used(f, "expert_groups", experts.groups, 1,
                  "routing: experts in equal groups; 1 unless said");
  size_where_used(f, "expert_groups_per_token", experts.groups_per_token, 1,
                  "routing: groups that a token's experts may come from");
}

void check_experts(const Fields& f, const Transformer& model) {
  const ExpertLayers& experts = model.experts;
  const bool any = experts.used() || experts.experts_per_token > 0 || experts.ffn_hidden_size > 0;
  if (!any) return;
  if (!experts.used() || experts.experts_per_token == 0 || experts.ffn_hidden_size == 0) {
    f.fault("num_experts", "experts are described in part",
            "state num_experts, experts_per_token and expert_ffn_hidden_size");
  }
  if (experts.experts_per_token > experts.num_experts) {
    f.fault("experts_per_token", std::to_string(experts.experts_per_token) +
                                     " experts a token, the model has " +
                                     std::to_string(experts.num_experts));
  }
  if (experts.dense_layers > model.num_layers) {
    f.fault("dense_layers", std::to_string(experts.dense_layers) + " dense layers, the model has " +
                                std::to_string(model.num_layers) + " layers");
  }
  if (experts.num_experts % experts.groups != 0 || experts.groups_per_token > experts.groups) {
    f.fault("expert_groups", std::to_string(experts.num_experts) + " experts in " +
                                 std::to_string(experts.groups) + " groups, " +
                                 std::to_string(experts.groups_per_token) + " of them a token");
  }
}

void check_heads(const Fields& f, const Transformer& model) {
  const std::string heads = std::to_string(model.num_attention_heads);
  if (model.head_size == 0 && !model.latent_attention.used()) {
    f.fault("num_attention_heads",
            "hidden_size " + std::to_string(model.hidden_size) + " is not a multiple of " + heads +
                " heads",
            "state head_size");
  }
  if (model.num_attention_heads % model.num_query_groups != 0) {
    f.fault("num_query_groups", heads + " heads do not divide into " +
                                    std::to_string(model.num_query_groups) + " query groups");
  }
}

std::int64_t bias_parameters(const Transformer& model) {
  if (!model.linear_bias) return 0;
  const std::int64_t ffn = model.ffn_hidden_size;
  return query_key_value_size(model) + 2LL * model.hidden_size + (model.gated_mlp ? 2 : 1) * ffn;
}

std::int64_t norm_parameters(const Transformer& model) {
  return (model.linear_bias ? 2LL : 1LL) * model.hidden_size;
}

// --- Parts of a layer's matrices ---------------------------------------------------------------

std::int64_t mlp_parameters(const Transformer& model, std::int64_t ffn) {
  return (model.gated_mlp ? 3 : 2) * std::int64_t{model.hidden_size} * ffn;
}

std::int64_t router_parameters(const Transformer& model) {
  return std::int64_t{model.hidden_size} * model.experts.num_experts;
}

// Latent attention: from the hidden state to the narrow queries, keys and values.
std::int64_t narrow_projection_parameters(const Transformer& model) {
  const LatentAttention& latent = model.latent_attention;
  if (!latent.used()) return 0;
  return std::int64_t{model.hidden_size} *
         (latent.q_lora_rank + latent.kv_lora_rank + latent.qk_rope_head_size);
}

std::int64_t latent_norm_parameters(const Transformer& model) {
  const LatentAttention& latent = model.latent_attention;
  return latent.used() ? latent.q_lora_rank + latent.kv_lora_rank : 0;
}

std::int64_t attention_parameters(const Transformer& model) {
  const LatentAttention& latent = model.latent_attention;
  const std::int64_t hidden = model.hidden_size;
  const std::int64_t heads = model.num_attention_heads;
  if (!latent.used()) {
    return hidden * query_key_value_size(model) + heads * model.head_size * hidden;
  }
  const std::int64_t query_input = latent.q_lora_rank > 0 ? latent.q_lora_rank : hidden;
  return narrow_projection_parameters(model) + query_input * heads * latent.qk_head_size() +
         latent.kv_lora_rank * heads * (latent.qk_nope_head_size + latent.v_head_size) +
         heads * latent.v_head_size * hidden;
}

std::int64_t matrix_parameters(const Transformer& model, LayerKind kind, std::int64_t experts) {
  if (kind == LayerKind::Dense) {
    return attention_parameters(model) + mlp_parameters(model, model.ffn_hidden_size);
  }
  return attention_parameters(model) + router_parameters(model) +
         experts * mlp_parameters(model, model.experts.ffn_hidden_size) +
         mlp_parameters(model, model.experts.shared_ffn_hidden_size);
}

std::int64_t position_parameters(const Transformer& model, int sequence_length) {
  if (model.position_embedding != PositionEmbedding::Learned) return 0;
  const int rows = model.max_sequence_length > 0 ? model.max_sequence_length : sequence_length;
  return std::int64_t{rows} * model.hidden_size;
}

}  // namespace

void describe(Fields& f, Transformer& model) {
  describe_shape(f, model);
  describe_family(f, model);
  describe_latent_attention(f, model.latent_attention);
  describe_experts(f, model.experts);
  size_where_used(f, "multi_token_prediction", model.multi_token_prediction, 0,
                  "further tokens predicted, each by a layer and the head; none unless said");
  if (!f.reading()) return;
  check_heads(f, model);
  check_experts(f, model);
}

int query_key_value_size(const Transformer& model) {
  return (model.num_attention_heads + 2 * model.num_query_groups) * model.head_size;
}

int layers_of(const Transformer& model, LayerKind kind) {
  const int dense = model.experts.used() ? model.experts.dense_layers : model.num_layers;
  return kind == LayerKind::Dense ? dense : model.num_layers - dense;
}

LayerKind last_layer_kind(const Transformer& model) {
  return layers_of(model, LayerKind::Expert) > 0 ? LayerKind::Expert : LayerKind::Dense;
}

std::int64_t expert_parameters(const Transformer& model) {
  return mlp_parameters(model, model.experts.ffn_hidden_size);
}

std::int64_t layer_matrix_parameters(const Transformer& model, LayerKind kind) {
  return matrix_parameters(model, kind, model.experts.num_experts);
}

std::int64_t layer_norm_parameters(const Transformer& model) { return 2 * norm_parameters(model); }

std::int64_t layer_parameters(const Transformer& model, LayerKind kind) {
  return layer_matrix_parameters(model, kind) + bias_parameters(model) +
         latent_norm_parameters(model) + layer_norm_parameters(model);
}

std::int64_t replicated_layer_parameters(const Transformer& model, LayerKind kind) {
  const std::int64_t router = kind == LayerKind::Expert ? router_parameters(model) : 0;
  return layer_norm_parameters(model) + latent_norm_parameters(model) +
         narrow_projection_parameters(model) + router;
}

std::int64_t prediction_module_parameters(const Transformer& model) {
  const std::int64_t hidden = model.hidden_size;
  return layer_parameters(model, last_layer_kind(model)) + 2 * hidden * hidden +
         3 * norm_parameters(model);
}

std::int64_t embedding_parameters(const Transformer& model, std::int64_t padded_vocab) {
  return padded_vocab * model.hidden_size;
}

std::int64_t total_parameters(const Transformer& model, std::int64_t padded_vocab,
                              int sequence_length) {
  const int tables = model.tied_embeddings ? 1 : 2;
  return layers_of(model, LayerKind::Dense) * layer_parameters(model, LayerKind::Dense) +
         layers_of(model, LayerKind::Expert) * layer_parameters(model, LayerKind::Expert) +
         norm_parameters(model) + tables * embedding_parameters(model, padded_vocab) +
         position_parameters(model, sequence_length);
}

std::int64_t active_parameters(const Transformer& model, std::int64_t padded_vocab,
                               int sequence_length) {
  const std::int64_t idle = model.experts.num_experts - model.experts.experts_per_token;
  return total_parameters(model, padded_vocab, sequence_length) -
         layers_of(model, LayerKind::Expert) * idle * expert_parameters(model);
}

Flop layer_forward_flop(const Transformer& model, int sequence_length, LayerKind kind) {
  STEPCAST_REQUIRES(sequence_length >= 0);
  const double tokens = sequence_length;
  const double matrices =
      static_cast<double>(matrix_parameters(model, kind, model.experts.experts_per_token));
  // Scores and their product with the values: twice the head size, or the sizes of latent
  // attention.
  const LatentAttention& latent = model.latent_attention;
  const int head_sizes =
      latent.used() ? latent.qk_head_size() + latent.v_head_size : 2 * model.head_size;
  const double attention_width = static_cast<double>(model.num_attention_heads) * head_sizes;
  return Flop(2 * tokens * matrices + 2 * tokens * tokens * attention_width);
}

Flop layers_forward_flop(const Transformer& model, int sequence_length) {
  const auto layers = [&](int count, LayerKind kind) {
    return count * layer_forward_flop(model, sequence_length, kind);
  };
  return layers(layers_of(model, LayerKind::Dense), LayerKind::Dense) +
         layers(layers_of(model, LayerKind::Expert), LayerKind::Expert) +
         layers(model.multi_token_prediction, last_layer_kind(model));
}

Flop logits_forward_flop(const Transformer& model, std::int64_t vocab, int sequence_length) {
  STEPCAST_REQUIRES(vocab >= 0 && sequence_length >= 0);
  return Flop(2.0 * sequence_length * model.hidden_size * static_cast<double>(vocab));
}

Flop model_flop(const Transformer& model, int sequence_length) {
  const double hidden = model.hidden_size;
  const Flop projection(4 * hidden * hidden * sequence_length);  // of two states to one
  const Flop forward = layers_forward_flop(model, sequence_length) +
                       model.multi_token_prediction * projection +
                       (1 + model.multi_token_prediction) *
                           logits_forward_flop(model, model.vocab_size, sequence_length);
  return 3 * forward;
}

}  // namespace stepcast
