// A decoder transformer and its exact counts: parameters and floating-point operations. Times are
// kernels.h's job, bytes on a GPU memory.h's.
#pragma once

#include <cstdint>
#include <string>

#include "base/units.h"

namespace stepcast {

class Fields;

enum class PositionEmbedding { Learned, Rotary, Alibi };

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
};

void describe(Fields& f, Transformer& model);

/// Columns of the fused query-key-value projection: (heads + 2 groups) x head size.
int query_key_value_size(const Transformer& model);

/// Weights of one layer: matrices, biases where the model has them, and the two norms.
std::int64_t layer_parameters(const Transformer& model);
/// The matrices alone (what tensor parallelism splits).
std::int64_t layer_matrix_parameters(const Transformer& model);
std::int64_t layer_norm_parameters(const Transformer& model);
/// One table of `padded_vocab` rows.
std::int64_t embedding_parameters(const Transformer& model, std::int64_t padded_vocab);
/// The whole model; tied tables count once. `sequence_length` sizes a learned position table.
std::int64_t total_parameters(const Transformer& model, std::int64_t padded_vocab,
                              int sequence_length);

/// Multiply-adds count two. Attention counts the whole [sequence, sequence] square, causal or not,
/// as Megatron's and PaLM's MFU do. `sequence_length` tokens of one sequence.
Flop layer_forward_flop(const Transformer& model, int sequence_length);
Flop logits_forward_flop(const Transformer& model, std::int64_t vocab, int sequence_length);
/// Forward and backward (3 x forward) of one sequence through the whole model: the MFU's numerator.
/// Does not depend on the plan; the vocabulary is the unpadded one.
Flop model_flop(const Transformer& model, int sequence_length);

}  // namespace stepcast
