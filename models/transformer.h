// A decoder transformer and its exact counts: parameters and floating-point operations. Times are
// kernels.h's job, bytes on a GPU memory.h's.
#pragma once

#include <cstdint>
#include <string>

#include "base/units.h"

namespace stepcast {

class Fields;

enum class PositionEmbedding { Learned, Rotary, Alibi };

/// A layer's MLP: the same for all tokens, or experts that a router chooses for each token.
enum class LayerKind { Dense, Expert };

/// Multi-head latent attention: queries, keys and values pass through a narrow projection. Absent:
/// kv_lora_rank 0. Source: DeepSeek-AI, DeepSeek-V2, arXiv:2405.04434, section 2.1.
struct LatentAttention {
  int q_lora_rank = 0;   ///< 0: queries are projected at once
  int kv_lora_rank = 0;  ///< of keys and values together
  int qk_nope_head_size = 0;
  int qk_rope_head_size = 0;  ///< of queries and of the one key part that all heads share
  int v_head_size = 0;

  bool used() const { return kv_lora_rank > 0; }
  int qk_head_size() const { return qk_nope_head_size + qk_rope_head_size; }
};

/// Mixture of experts in all layers but the first `dense_layers`. Absent: num_experts 0.
struct ExpertLayers {
  int num_experts = 0;
  int experts_per_token = 0;       ///< the router's top k
  int ffn_hidden_size = 0;         ///< of one expert
  int shared_ffn_hidden_size = 0;  ///< of the shared experts together; 0: none
  int dense_layers = 0;
  int groups = 1;            ///< experts in equal groups, ...
  int groups_per_token = 1;  ///< ... and how many of them a token's experts may come from

  bool used() const { return num_experts > 0; }
};

struct Transformer {
  std::string name;
  int num_layers = 0;
  int hidden_size = 0;
  int num_attention_heads = 0;
  int num_query_groups = 0;  ///< key/value heads; equal to num_attention_heads unless said
  int ffn_hidden_size = 0;   ///< 4 x hidden_size unless said
  int vocab_size = 0;
  int head_size = 0;       ///< hidden_size / num_attention_heads unless said
  bool gated_mlp = false;  ///< three matrices (SwiGLU) instead of two
  // Unless said: as GPT where the MLP is plain (tied, biased, learned positions), as LLaMA where it
  // is gated (none of these, rotary positions).
  bool tied_embeddings = false;
  bool linear_bias = false;  ///< in linear layers and norms
  PositionEmbedding position_embedding = PositionEmbedding::Rotary;
  int max_sequence_length =
      0;  ///< rows of a learned position table; 0: the batch's sequence length
  LatentAttention latent_attention;
  ExpertLayers experts;
  int multi_token_prediction = 0;  ///< further tokens predicted, each by a layer and the head
};

void describe(Fields& f, Transformer& model);

/// Columns of the fused query-key-value projection: (heads + 2 groups) x head size.
int query_key_value_size(const Transformer& model);

/// How many layers of a kind the model has.
int layers_of(const Transformer& model, LayerKind kind);
/// What a multi-token prediction module's layer is: the kind of the last one.
LayerKind last_layer_kind(const Transformer& model);

/// Weights of one layer: matrices, biases where the model has them, and the two norms.
std::int64_t layer_parameters(const Transformer& model, LayerKind kind = LayerKind::Dense);
/// The matrices alone: of attention, and of the MLP or of router, all experts and shared experts.
std::int64_t layer_matrix_parameters(const Transformer& model, LayerKind kind = LayerKind::Dense);
std::int64_t layer_norm_parameters(const Transformer& model);
/// One routed expert's matrices.
std::int64_t expert_parameters(const Transformer& model);
/// Those of a layer's weights that every tensor-parallel rank holds whole: norms, the router, and
/// the narrow projections of latent attention with their norms.
std::int64_t replicated_layer_parameters(const Transformer& model, LayerKind kind);
/// One multi-token prediction module: its layer, the projection of two states to one and three
/// norms. Embedding and head are the model's own.
std::int64_t prediction_module_parameters(const Transformer& model);
/// One table of `padded_vocab` rows.
std::int64_t embedding_parameters(const Transformer& model, std::int64_t padded_vocab);
/// The whole model without multi-token prediction modules, as publications count; tied tables count
/// once. `sequence_length` sizes a learned position table.
std::int64_t total_parameters(const Transformer& model, std::int64_t padded_vocab,
                              int sequence_length);

/// The same with only the experts that one token passes through.
std::int64_t active_parameters(const Transformer& model, std::int64_t padded_vocab,
                               int sequence_length);

/// Multiply-adds count two. Attention counts the whole [sequence, sequence] square, causal or not,
/// as Megatron's and PaLM's MFU do. `sequence_length` tokens of one sequence.
/// Of experts a token's own.
Flop layer_forward_flop(const Transformer& model, int sequence_length,
                        LayerKind kind = LayerKind::Dense);
/// All layers of the model, those of prediction modules included.
Flop layers_forward_flop(const Transformer& model, int sequence_length);
Flop logits_forward_flop(const Transformer& model, std::int64_t vocab, int sequence_length);
/// Forward and backward (3 x forward) of one sequence through the whole model, multi-token
/// prediction included: the MFU's numerator.
/// Does not depend on the plan; the vocabulary is the unpadded one.
Flop model_flop(const Transformer& model, int sequence_length);

}  // namespace stepcast
