// Counts of a decoder transformer. Linear layers carry biases where the norms are LayerNorms (GPT);
// neither norms nor linear layers do in the LLaMA family, whose norms are RMSNorms.
#include "models/transformer.h"

#include <array>
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

void check_heads(const Fields& f, const Transformer& model) {
  const std::string heads = std::to_string(model.num_attention_heads);
  if (model.head_size == 0) {
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

std::int64_t position_parameters(const Transformer& model, int sequence_length) {
  if (model.position_embedding != PositionEmbedding::Learned) return 0;
  const int rows = model.max_sequence_length > 0 ? model.max_sequence_length : sequence_length;
  return std::int64_t{rows} * model.hidden_size;
}

}  // namespace

void describe(Fields& f, Transformer& model) {
  describe_shape(f, model);
  describe_family(f, model);
  if (f.reading()) check_heads(f, model);
}

int query_key_value_size(const Transformer& model) {
  return (model.num_attention_heads + 2 * model.num_query_groups) * model.head_size;
}

std::int64_t layer_matrix_parameters(const Transformer& model) {
  const std::int64_t hidden = model.hidden_size;
  const std::int64_t attention_output =
      std::int64_t{model.num_attention_heads} * model.head_size * hidden;
  const std::int64_t mlp = (model.gated_mlp ? 3 : 2) * hidden * model.ffn_hidden_size;
  return hidden * query_key_value_size(model) + attention_output + mlp;
}

std::int64_t layer_norm_parameters(const Transformer& model) { return 2 * norm_parameters(model); }

std::int64_t layer_parameters(const Transformer& model) {
  return layer_matrix_parameters(model) + bias_parameters(model) + layer_norm_parameters(model);
}

std::int64_t embedding_parameters(const Transformer& model, std::int64_t padded_vocab) {
  return padded_vocab * model.hidden_size;
}

std::int64_t total_parameters(const Transformer& model, std::int64_t padded_vocab,
                              int sequence_length) {
  const int tables = model.tied_embeddings ? 1 : 2;
  return model.num_layers * layer_parameters(model) + norm_parameters(model) +
         tables * embedding_parameters(model, padded_vocab) +
         position_parameters(model, sequence_length);
}

Flop layer_forward_flop(const Transformer& model, int sequence_length) {
  STEPCAST_REQUIRES(sequence_length >= 0);
  const double tokens = sequence_length;
  const double matrices = static_cast<double>(layer_matrix_parameters(model));
  const double attention_width = static_cast<double>(model.num_attention_heads) * model.head_size;
  return Flop(2 * tokens * matrices + 4 * tokens * tokens * attention_width);
}

Flop logits_forward_flop(const Transformer& model, std::int64_t vocab, int sequence_length) {
  STEPCAST_REQUIRES(vocab >= 0 && sequence_length >= 0);
  return Flop(2.0 * sequence_length * model.hidden_size * static_cast<double>(vocab));
}

Flop model_flop(const Transformer& model, int sequence_length) {
  const Flop forward = model.num_layers * layer_forward_flop(model, sequence_length) +
                       logits_forward_flop(model, model.vocab_size, sequence_length);
  return 3 * forward;
}

}  // namespace stepcast
