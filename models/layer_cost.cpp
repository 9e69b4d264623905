#include "models/layer_cost.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "models/fine_tuning.h"
#include "models/gemm.h"
#include "models/kernel_fusion.h"
#include "models/kernels.h"
#include "models/layer_shapes.h"
#include "models/layer_stash.h"
#include "models/sparsity.h"

namespace stepcast {
namespace {

constexpr double kHostSoftness = 6.0;

// Kernels of a layer's backward pass: two for each of four linear layers (input and weights), the
// attention core, two norms, two residuals, the activation, the rotary embedding.
constexpr double kWeightGradientKernels = 4;
constexpr double kBackwardKernels = 15;

// Elementwise traffic is counted in bytes per element of 16 bits.
double bytes_scale(const WorkContext& c) { return bytes_per_element(c.job.precision) / 2.0; }

Seconds dense_gemm(const Linear& linear, GemmPass pass, const WorkContext& c) {
  const auto [rows, outputs, inputs, batch] = linear;
  GemmShape shape{.m = rows, .n = outputs, .k = inputs, .batch = batch};
  if (pass == GemmPass::InputGradient) shape = {rows, inputs, outputs, batch};
  if (pass == GemmPass::WeightGradient) shape = {inputs, outputs, rows, batch};
  return gemm_time(shape, pass, c.job.precision, c.device);
}

// What a product of fp8 needs in 8 bits: its input, or the gradient of its output, which both
// gradients use; read in 16 bits, written by rows and by columns, the largest value on the way.
Seconds cast_to_fp8(const Linear& linear, GemmPass pass, const WorkContext& c) {
  if (c.job.precision != Precision::Fp8 || pass == GemmPass::WeightGradient) return {};
  const std::int64_t width = pass == GemmPass::Forward ? linear.inputs : linear.outputs;
  const double elements = static_cast<double>(linear.rows * linear.batch * width);
  return memory_bound_time(Bytes((2.0 + 1.0 + 1.0) * elements), c.device);
}

// Of a layer, whose weights may be masked.
Seconds gemm(const Linear& linear, GemmPass pass, const WorkContext& c) {
  return cast_to_fp8(linear, pass, c) + dense_gemm(linear, pass, c) / sparse_speed_up(pass, c.job);
}

Seconds gemms(const Linears& linears, GemmPass pass, const WorkContext& c) {
  Seconds sum;
  for (const Linear& linear : linears) sum += gemm(linear, pass, c);
  return sum;
}

// Of frozen weights none.
Seconds weight_gradients(const Linears& linears, const WorkContext& c) {
  return c.job.fine_tuning ? Seconds() : gemms(linears, GemmPass::WeightGradient, c);
}

// Gradient of linear layers: by their inputs and by their weights.
Seconds gemms_backward(const Linears& linears, const WorkContext& c) {
  return gemms(linears, GemmPass::InputGradient, c) + weight_gradients(linears, c);
}

Seconds elementwise(double elements, double bytes_per_element, const WorkContext& c) {
  const double compiled =
      c.job.runtime.torch_compile ? c.framework.kernels.compiled_elementwise.value : 1.0;
  const Bytes traffic(elements * bytes_per_element * bytes_scale(c) *
                      c.framework.kernels.elementwise_traffic.value * compiled);
  const FusionFactors fusion = fusion_factors(c);
  return fusion.kernels * memory_bound_time(traffic * fusion.traffic / fusion.kernels, c.device);
}

// Bytes per element of an elementwise step: as one fused kernel, and as the chain of kernels that
// eager PyTorch runs where it is written out, each reading and writing memory.
struct StepBytes {
  double fused;
  double chain;
};

// RMSNorm in fp32: cast 6, square 8, mean 4, scale 8, cast back 6, weight 4 and its broadcast;
// backward casts 12, two products with their sums 36, the mean's gradient 28.
constexpr StepBytes norm_forward{4, 36};
constexpr StepBytes norm_backward{8, 76};
constexpr StepBytes rotary{4, 20};          // cast 6, rotate in fp32 8, cast back 6
constexpr StepBytes gate_forward{6, 10};    // activation 4, product 6
constexpr StepBytes gate_backward{10, 18};  // product's two gradients 12, activation's 6

// LayerNorm with bias is one kernel in every framework; what is compiled is fused.
bool runs_chains(const WorkContext& c) {
  return c.framework.kernels.eager_chain_traffic.value > 0 && !c.job.runtime.torch_compile &&
         !c.job.model.linear_bias;
}

double bytes_of(const StepBytes& step, const WorkContext& c) {
  return runs_chains(c) ? step.chain * c.framework.kernels.eager_chain_traffic.value : step.fused;
}

// torch.compile takes PyTorch's own attention, which is FlashAttention 2.
AttentionKernel attention_kernel(const WorkContext& c) {
  const bool older = c.framework.kernels.flash2_was_flash1 && !c.job.runtime.torch_compile;
  return older && c.job.attention == AttentionKernel::Flash2 ? AttentionKernel::Flash1
                                                             : c.job.attention;
}

Seconds attention_forward(const LayerShapes& shapes, const WorkContext& c) {
  if (c.job.attention == AttentionKernel::Unfused) {
    return unfused_attention_forward_time(shapes.attention, c.job.precision, fuses_kernels(c),
                                          c.device);
  }
  return flash_attention_forward_time(shapes.attention, attention_kernel(c), c.job.precision,
                                      c.device);
}

Seconds attention_backward(const LayerShapes& shapes, const WorkContext& c) {
  if (c.job.attention == AttentionKernel::Unfused) {
    return unfused_attention_backward_time(shapes.attention, c.job.precision, fuses_kernels(c),
                                           c.device);
  }
  return flash_attention_backward_time(shapes.attention, attention_kernel(c), c.job.precision,
                                       c.device);
}

// Bytes per element, 16-bit: a norm reads and writes (4); a residual with bias and dropout reads
// two, writes one and its mask (7), without dropout (gated models) 6; GeLU reads and writes (4),
// SwiGLU reads two and writes one (6); rotary reads and writes (4).
//
// With experts, tokens are copied into the order of their experts and back on either side (4 each),
// and the copies that come back are summed (2).
double residual_bytes(const WorkContext& c) { return c.job.model.gated_mlp ? 6 : 7; }

double activation_bytes(const WorkContext& c) {
  return c.job.model.gated_mlp ? bytes_of(gate_forward, c) : 4;
}

LayerPass forward_pass(const LayerShapes& s, const WorkContext& c) {
  const double residual = residual_bytes(c);
  const double norm = bytes_of(norm_forward, c);
  const double activation = activation_bytes(c);
  LayerPass pass;
  pass.attention =
      elementwise(s.hidden_elements, norm, c) + gemms(s.attention_input, GemmPass::Forward, c) +
      elementwise(s.latent_elements, norm, c) +
      elementwise(s.rotary_elements, bytes_of(rotary, c), c) + attention_forward(s, c) +
      gemm(s.attention_output, GemmPass::Forward, c) + elementwise(s.hidden_elements, residual, c);
  pass.mlp = elementwise(s.hidden_elements, norm, c) + gemms(s.mlp, GemmPass::Forward, c) +
             elementwise(s.ffn_elements, activation, c) + elementwise(s.routed_elements, 4 + 2, c) +
             elementwise(s.hidden_elements, residual, c);
  pass.experts = gemms(s.expert, GemmPass::Forward, c) +
                 elementwise(s.expert_ffn_elements, activation, c) +
                 elementwise(s.expert_elements, 4 + 4, c);
  pass.shared =
      gemms(s.shared, GemmPass::Forward, c) + elementwise(s.shared_ffn_elements, activation, c);
  return pass;
}

// A norm's gradient reads input and output gradient and writes (8 with the weight's), a residual's
// reads, unmasks and writes (5), GeLU's reads two and writes one (6), SwiGLU's reads three and
// writes two (10); a bias gradient reads its layer's output gradient once (2).
LayerPass backward_pass(const LayerShapes& s, const WorkContext& c) {
  const bool gated = c.job.model.gated_mlp;
  const double bias = c.job.model.linear_bias ? 2 : 0;
  const double norm = bytes_of(norm_backward, c);
  const double activation = gated ? bytes_of(gate_backward, c) : 6;
  LayerPass pass;
  pass.attention =
      elementwise(s.hidden_elements, norm, c) + gemms_backward(s.attention_input, c) +
      elementwise(s.biased_elements, bias, c) + elementwise(s.latent_elements, norm, c) +
      elementwise(s.rotary_elements, bytes_of(rotary, c), c) + attention_backward(s, c) +
      gemms_backward({s.attention_output}, c) + elementwise(s.hidden_elements, 5 + bias, c);
  pass.mlp = elementwise(s.hidden_elements, norm, c) + gemms_backward(s.mlp, c) +
             elementwise(s.ffn_elements, activation + bias, c) +
             elementwise(s.routed_elements, 4 + 2, c) + elementwise(s.hidden_elements, 5 + bias, c);
  pass.experts = gemms_backward(s.expert, c) + elementwise(s.expert_ffn_elements, activation, c) +
                 elementwise(s.expert_elements, 4 + 4, c);
  pass.shared = gemms_backward(s.shared, c) + elementwise(s.shared_ffn_elements, activation, c);
  return pass;
}

LayerPass weight_gradient_pass(const LayerShapes& s, const WorkContext& c) {
  const auto weights = [&](const Linears& linears) { return weight_gradients(linears, c); };
  return {weights(s.attention_input) + weights({s.attention_output}), weights(s.mlp),
          weights(s.expert), weights(s.shared)};
}

// A layer's forward pass done again. Nothing that the backward pass reads comes after the input of
// the last product, so a checkpoint that stops early leaves that product and its residual out. With
// experts the router's gradient reads what they give.
LayerPass whole_layer_again(const LayerPass& forward, const LayerShapes& s, const WorkContext& c) {
  LayerPass again = forward;
  if (!c.framework.kernels.recompute_stops_early || c.layer == LayerKind::Expert) return again;
  again.mlp -= gemm(s.mlp.back(), GemmPass::Forward, c) +
               elementwise(s.hidden_elements, residual_bytes(c), c);
  return again;
}

// The up-projections of latent attention: all of its products but those to the narrow widths.
Seconds up_projections(const LayerShapes& s, const WorkContext& c) {
  const bool narrow_queries = c.job.model.latent_attention.q_lora_rank > 0;
  const Linears& input = s.attention_input;  // as layer_shapes puts them
  const Linears up = narrow_queries ? Linears{input[1], input[3]} : Linears{input[0], input[2]};
  return gemms(up, GemmPass::Forward, c) + elementwise(s.rotary_elements, bytes_of(rotary, c), c);
}

// Single operations done again. The norms stand before either half, an activation between the
// products of every MLP.
LayerPass operations_again(const LayerPass& forward, const LayerShapes& s, const WorkContext& c) {
  const RecomputedOperations again = recomputed_operations(c.job, c.framework);
  const bool whole_mlp = c.layer == LayerKind::Expert ? again.experts : again.mlp;
  const double norm = bytes_of(norm_forward, c);
  LayerPass pass;
  if (again.attention_core && c.job.attention == AttentionKernel::Unfused) {
    pass.attention += attention_forward(s, c);
  }
  if (again.norm) {
    pass.attention +=
        elementwise(s.hidden_elements, norm, c) + elementwise(s.latent_elements, norm, c);
    pass.mlp += elementwise(s.hidden_elements, norm, c);
  }
  if (again.mla_up_projection) pass.attention += up_projections(s, c);
  if (whole_mlp) {
    pass.mlp += forward.mlp - elementwise(s.hidden_elements, norm, c) -
                elementwise(s.hidden_elements, residual_bytes(c), c);
    pass.experts = forward.experts;
    pass.shared = forward.shared;
  } else if (again.activation) {
    const double activation = activation_bytes(c);
    pass.mlp += elementwise(s.ffn_elements, activation, c);
    pass.experts = elementwise(s.expert_ffn_elements, activation, c);
    pass.shared = elementwise(s.shared_ffn_elements, activation, c);
  }
  return pass;
}

LayerPass recomputed_pass(const LayerPass& forward, const LayerShapes& s, const WorkContext& c) {
  if (c.job.plan.recompute == Recompute::Full) return whole_layer_again(forward, s, c);
  const double layers = c.framework.kernels.selective_recompute_layers;
  const bool by_layer = c.job.plan.recompute == Recompute::Selective && layers > 0 &&
                        !c.job.plan.recompute_operations.any();
  return by_layer ? layers * whole_layer_again(forward, s, c) : operations_again(forward, s, c);
}

Seconds host_time(Seconds launches, int collectives, const WorkContext& c) {
  const int tensor = c.job.plan.tensor_parallel;
  const FrameworkProfile& framework = c.framework;
  Seconds host = launches;
  host *= fusion_factors(c).launches;
  if (tensor > 1) {
    host += collectives * framework.host.tensor_collective.value *
            (1.0 + framework.host.tensor_rank_growth.value * (tensor - 2));
  }
  if (c.job.runtime.torch_compile) host *= framework.host.compiled_factor.value;
  if (c.job.runtime.launch_blocking) host *= framework.host.blocking_factor.value;
  return host;
}

}  // namespace

LayerCost layer_cost(const WorkContext& context) {
  const LayerShapes shapes = layer_shapes(context.job, context.layer);
  LayerCost cost;
  cost.forward = forward_pass(shapes, context) + adapter_forward(context);
  cost.backward = backward_pass(shapes, context) + adapter_backward(context);
  cost.weight_gradient = weight_gradient_pass(shapes, context);
  cost.core_forward = attention_forward(shapes, context);
  cost.core_backward = attention_backward(shapes, context);
  cost.recomputed = recomputed_pass(cost.forward, shapes, context);
  return cost;
}

HeadCost head_cost(const WorkContext& context) {
  const TrainingJob& job = context.job;
  const LayerShapes shapes = layer_shapes(context.job, LayerKind::Dense);
  const std::int64_t vocab = padded_vocab(job, context.framework) / job.plan.tensor_parallel;
  const double logits = static_cast<double>(shapes.tokens) * static_cast<double>(vocab);
  const Linear logits_of{shapes.tokens, vocab, shapes.hidden};
  // Loss and its gradient in one figure; a third of it belongs to the forward pass (two reads of
  // five: logits cast and maximum; exponent sum; gradient written and cast back).
  const Bytes loss_traffic(logits * context.framework.kernels.logit_traffic.value);
  HeadCost cost;
  cost.forward = elementwise(shapes.hidden_elements, 4, context) +
                 dense_gemm(logits_of, GemmPass::Forward, context) +
                 memory_bound_time(loss_traffic / 3.0, context.device);
  cost.backward = memory_bound_time(loss_traffic * (2.0 / 3.0), context.device) +
                  gemms_backward({logits_of}, context) +
                  elementwise(shapes.hidden_elements, 8, context);
  return cost;
}

HeadCost prediction_projection_cost(const WorkContext& context) {
  const LayerShapes shapes = layer_shapes(context.job, LayerKind::Dense);
  // Two norms and the product of both states, side by side, with a matrix of [2 hidden, hidden]; a
  // third norm stands before the head.
  const Linear projection{shapes.tokens, shapes.hidden, 2 * shapes.hidden};
  return {
      dense_gemm(projection, GemmPass::Forward, context) +
          elementwise(shapes.hidden_elements, 2 * 4, context),
      gemms_backward({projection}, context) + elementwise(shapes.hidden_elements, 2 * 8, context)};
}

HeadCost embedding_cost(const WorkContext& context) {
  const LayerShapes shapes = layer_shapes(context.job, LayerKind::Dense);
  // Rows read and written, plus a position table or dropout pass (2 more); the gradient adds into
  // fp32 rows.
  return {elementwise(shapes.hidden_elements, 6, context),
          elementwise(shapes.hidden_elements, 10, context)};
}

Seconds host_forward_time(int collectives, const WorkContext& context) {
  return host_time(context.framework.host.layer_forward.value, collectives, context);
}

Seconds host_backward_time(int collectives, const WorkContext& context) {
  return host_time(context.framework.host.layer_backward.value, collectives, context);
}

double host_weight_gradient_share() { return kWeightGradientKernels / kBackwardKernels; }

Seconds paced_by_host(Seconds gpu, Seconds host, bool launch_blocking) {
  if (launch_blocking) return gpu + host;
  if (gpu <= Seconds() || host <= Seconds()) return gpu + host;
  const double longer = std::max(gpu, host).value();
  const double ratio = std::min(gpu, host).value() / longer;
  return Seconds(longer * std::pow(1.0 + std::pow(ratio, kHostSoftness), 1.0 / kHostSoftness));
}

}  // namespace stepcast
