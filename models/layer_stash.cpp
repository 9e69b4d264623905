#include "models/layer_stash.h"

#include <algorithm>
#include <vector>

#include "models/expert_traffic.h"
#include "models/recompute.h"

namespace stepcast {
namespace {

constexpr double kElementBytes = 2.0;
constexpr double kNormBytes = 2.0 * kElementBytes;  // of both norms' inputs, or outputs
constexpr double kMaskBytes = 2.0;                  // of a_h, whole without sequence parallelism
// Of a_h, what has a line of its own: norms' inputs and outputs, and at the widths of attention
// queries, keys, values and the heads' output.
constexpr double kNamedBytes = 2.0 * kNormBytes + 4.0 * kElementBytes;
constexpr double kPlainMlpShare = 2.0 / 3.0;  // of a_f: two tensors instead of gate, up and product
constexpr double kScoreBytes = 5.0;           // softmax output 2, dropout mask 1, dropout output 2

// Bytes that an element of 16 bits takes where it is stored for fp8 products.
constexpr double kSixteenBits = 2.0;
constexpr double kEightBits = 1.0;
constexpr double kBothForms = 3.0;   // 16 bits for one use, 8 for the product
constexpr double kTwelveBits = 1.5;  // E5M6, for both uses. Source: DeepSeek-V3, section 3.3.3

enum class Half { Attention, Mlp };

// One kind of tensor that a token leaves behind.
struct Kept {
  Half half = Half::Attention;
  double bytes = 0;           // in 16 bits
  bool again = false;         // computed again instead of kept
  double fp8 = kSixteenBits;  // bytes an element in a job of fp8
  bool as_wide_as_mlp = false;
};

double tokens(const WorkContext& c) { return static_cast<double>(tokens_per_micro_batch(c.job)); }

// Over elements of 16 bits.
double precision_scale(const WorkContext& c) { return bytes_per_element(c.job.precision) / 2.0; }

double stored_bytes(const Kept& kept, const WorkContext& c) {
  if (kept.again) return 0.0;
  const bool fp8 = c.job.precision == Precision::Fp8;
  return kept.bytes * (fp8 ? kept.fp8 / kSixteenBits : precision_scale(c));
}

// Elements of [tokens, ffn] that one token keeps on a rank, routed and shared experts' together.
double ffn_width_per_token(const WorkContext& c) {
  const Transformer& model = c.job.model;
  const ParallelPlan& plan = c.job.plan;
  if (c.layer == LayerKind::Dense) {
    return static_cast<double>(model.ffn_hidden_size) / plan.tensor_parallel;
  }
  return expert_rows(c.job) / tokens(c) * model.experts.ffn_hidden_size /
             plan.expert_tensor_parallel +
         static_cast<double>(model.experts.shared_ffn_hidden_size) / plan.tensor_parallel;
}

// Bytes of a norm's input or output, both norms', of residuals and masks.
std::vector<Kept> around_both_halves(const RecomputedOperations& again, const WorkContext& c) {
  const ParallelPlan& plan = c.job.plan;
  const double hidden = c.job.model.hidden_size;
  const double split = hidden / plan.tensor_parallel;
  const double norms = plan.sequence_parallel ? split : hidden;
  const double rest = c.framework.memory.activation_bytes_hidden.value - kNamedBytes - kMaskBytes;
  const double one = kElementBytes * norms;
  return {{.half = Half::Attention, .bytes = one},
          {.half = Half::Mlp, .bytes = one},
          {.half = Half::Attention, .bytes = one, .again = again.norm, .fp8 = kEightBits},
          {.half = Half::Mlp, .bytes = one, .again = again.norm, .fp8 = kEightBits},
          {.half = Half::Mlp, .bytes = kMaskBytes * norms + rest * split}};
}

std::vector<Kept> attention_half(const RecomputedOperations& again, const WorkContext& c) {
  const Transformer& model = c.job.model;
  const LatentAttention& latent = model.latent_attention;
  const double tensor = c.job.plan.tensor_parallel;
  const double heads = model.num_attention_heads / tensor;
  const double output_fp8 = c.job.plan.kept_in_fp8.attention_output ? kTwelveBits : kBothForms;
  const double output =
      kElementBytes * heads * (latent.used() ? latent.v_head_size : model.head_size);
  const Kept heads_output{.half = Half::Attention, .bytes = output, .fp8 = output_fp8};
  if (!latent.used()) {
    const double projected =
        (heads + 2.0 * model.num_query_groups / tensor) * model.head_size * kElementBytes;
    return {{.half = Half::Attention, .bytes = projected}, heads_output};
  }
  const double projected =
      kElementBytes * heads * (2.0 * latent.qk_head_size() + latent.v_head_size);
  const double narrow =
      kElementBytes * (latent.q_lora_rank + latent.kv_lora_rank + latent.qk_rope_head_size);
  return {{.half = Half::Attention, .bytes = projected, .again = again.mla_up_projection},
          {.half = Half::Attention, .bytes = narrow},
          {.half = Half::Attention, .bytes = narrow, .again = again.norm, .fp8 = kEightBits},
          heads_output};
}

std::vector<Kept> mlp_half(const RecomputedOperations& again, const WorkContext& c) {
  const bool gated = c.job.model.gated_mlp;
  const bool experts = c.layer == LayerKind::Expert;
  const bool whole = experts ? again.experts : again.mlp;
  const double width = ffn_width_per_token(c);
  const double all =
      c.framework.memory.activation_bytes_ffn.value * (gated ? 1.0 : kPlainMlpShare) * width;
  const double input = kElementBytes * width * (gated ? 2.0 : 1.0);
  const double output = kElementBytes * width;
  const double input_fp8 = c.job.plan.kept_in_fp8.activation_input ? kEightBits : kSixteenBits;
  const bool product_again = whole || again.activation;
  std::vector<Kept> kept{
      {Half::Mlp, input, whole, input_fp8, true},
      {Half::Mlp, output, product_again, kEightBits, true},
      {Half::Mlp, all - input - output, product_again, kSixteenBits, true},
  };
  if (!experts) return kept;
  const double row = kElementBytes * c.job.model.hidden_size * expert_rows(c.job) / tokens(c);
  kept.push_back({.half = Half::Mlp, .bytes = row, .again = whole, .fp8 = kEightBits});
  if (!c.framework.memory.weighs_inside_experts) {
    kept.push_back({.half = Half::Mlp, .bytes = row, .again = whole});
  }
  return kept;
}

std::vector<Kept> kept_tensors(const RecomputedOperations& again, const WorkContext& c) {
  std::vector<Kept> all = around_both_halves(again, c);
  for (const auto& half : {attention_half(again, c), mlp_half(again, c)}) {
    all.insert(all.end(), half.begin(), half.end());
  }
  return all;
}

Bytes score_bytes(const WorkContext& c) {
  if (c.job.attention != AttentionKernel::Unfused) return Bytes();
  return Bytes(kScoreBytes * tokens(c) * c.job.batch.sequence_length *
               c.job.model.num_attention_heads / c.job.plan.tensor_parallel);
}

// Of a layer of which `again` is computed again.
Bytes stash_without(const RecomputedOperations& again, const WorkContext& c) {
  double bytes = 0;
  for (const Kept& kept : kept_tensors(again, c)) bytes += stored_bytes(kept, c);
  return Bytes(tokens(c) * bytes) + (again.attention_core ? Bytes() : score_bytes(c));
}

// The operations of one half of a layer follow each other closely: they are alive together.
Bytes larger_half_again(const RecomputedOperations& again, const WorkContext& c) {
  Bytes attention = again.attention_core ? score_bytes(c) : Bytes();
  Bytes mlp;
  for (const Kept& kept : kept_tensors(again, c)) {
    if (!kept.again) continue;
    (kept.half == Half::Attention ? attention : mlp) +=
        Bytes(tokens(c) * kept.bytes * precision_scale(c));
  }
  return std::max(attention, mlp);
}

// Selective recompute by whole layers: their share of all.
double whole_layers_again(const WorkContext& c) {
  const bool by_layer =
      c.job.plan.recompute == Recompute::Selective && !c.job.plan.recompute_operations.any();
  return by_layer ? c.framework.kernels.selective_recompute_layers : 0.0;
}

}  // namespace

RecomputedOperations recomputed_operations(const TrainingJob& job,
                                           const FrameworkProfile& framework) {
  if (job.plan.recompute != Recompute::Selective) return {};
  if (job.plan.recompute_operations.any()) return job.plan.recompute_operations;
  if (framework.kernels.selective_recompute_layers > 0) return {};
  return {.attention_core = true};
}

Bytes layer_input(const WorkContext& c) {
  const int split = c.job.plan.sequence_parallel ? c.job.plan.tensor_parallel : 1;
  return Bytes(bytes_per_element(c.job.precision) * tokens(c) * c.job.model.hidden_size / split);
}

Bytes layer_stash(const WorkContext& c) {
  const Bytes kept = stash_without(recomputed_operations(c.job, c.framework), c);
  const double whole = whole_layers_again(c);
  return whole * layer_input(c) + (1.0 - whole) * kept;
}

Bytes layer_stash_of_mlp(const WorkContext& c) {
  if (whole_layers_again(c) > 0) return Bytes();
  double bytes = 0;
  for (const Kept& kept : mlp_half(recomputed_operations(c.job, c.framework), c)) {
    if (kept.as_wide_as_mlp) bytes += stored_bytes(kept, c);
  }
  return Bytes(tokens(c) * bytes);
}

Bytes stashed_activations(int layers, const WorkContext& c) {
  const RecomputedLayers parts = recomputed_layers(layers, c.job.plan);
  return parts.checkpoints() * layer_input(c) + (layers - parts.again) * layer_stash(c);
}

Bytes gathered_inputs(const WorkContext& c) {
  if (c.job.plan.tensor_parallel == 1) return Bytes();
  return Bytes(c.framework.memory.activation_bytes_gathered.value * tokens(c) *
               c.job.model.hidden_size * precision_scale(c));
}

Bytes recompute_working_set(int layers, const WorkContext& c) {
  const bool whole = c.job.plan.recompute == Recompute::Full || whole_layers_again(c) > 0;
  if (!whole) return larger_half_again(recomputed_operations(c.job, c.framework), c);
  const int segment = std::max(1, recomputed_layers(layers, c.job.plan).segment);
  return segment * stash_without({}, c);
}

}  // namespace stepcast
