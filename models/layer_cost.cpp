#include "models/layer_cost.h"

#include <cmath>
#include <cstdint>

namespace stepcast {
namespace {

constexpr double kHostSoftness = 6.0;

// Shapes of one layer on one rank. Elementwise traffic is counted in bytes per element of
// [tokens, hidden_size] and [tokens, ffn_hidden_size / tensor_parallel], 16-bit elements.
struct LayerShapes {
  std::int64_t tokens, hidden, query_key_value, attention_width, ffn, ffn_in;
  AttentionShape attention;
  double
      hidden_elements;  // of norms and residuals: split over tensor ranks with sequence parallelism
  double ffn_elements;
  double rotary_elements;
  double bytes_scale;  // 1 for 16-bit elements, 2 for 32-bit
};

LayerShapes shapes_of(const WorkContext& context) {
  const TrainingJob& job = context.job;
  const Transformer& model = job.model;
  const int tensor = job.plan.tensor_parallel;
  const std::int64_t tokens = tokens_per_micro_batch(job);
  const std::int64_t heads = model.num_attention_heads / tensor;
  const std::int64_t groups = std::max(1, model.num_query_groups / tensor);
  LayerShapes shapes{};
  shapes.tokens = tokens;
  shapes.hidden = model.hidden_size;
  shapes.query_key_value = (heads + 2 * groups) * model.head_size;
  shapes.attention_width = heads * model.head_size;
  shapes.ffn = model.ffn_hidden_size / tensor;
  shapes.ffn_in = shapes.ffn * (model.gated_mlp ? 2 : 1);
  shapes.attention = {.micro_batch = job.batch.micro_batch,
                      .heads = heads,
                      .groups = groups,
                      .head_size = model.head_size,
                      .queries = job.batch.sequence_length / job.plan.context_parallel,
                      .keys = job.batch.sequence_length,
                      .causal = true};
  const double sequence_split = job.plan.sequence_parallel ? tensor : 1;
  shapes.hidden_elements =
      static_cast<double>(tokens) * static_cast<double>(shapes.hidden) / sequence_split;
  shapes.ffn_elements = static_cast<double>(tokens) * static_cast<double>(shapes.ffn);
  const bool rotary = model.position_embedding == PositionEmbedding::Rotary;
  shapes.rotary_elements =
      rotary ? static_cast<double>(tokens) * static_cast<double>((heads + groups) * model.head_size)
             : 0.0;
  shapes.bytes_scale = bytes_per_element(job.precision) / 2.0;
  return shapes;
}

Seconds gemm(std::int64_t m, std::int64_t n, std::int64_t k, GemmPass pass, const WorkContext& c) {
  return gemm_time({.m = m, .n = n, .k = k}, pass, c.job.precision, c.device);
}

// Gradient of one linear layer: by its input and by its weights.
Seconds gemm_backward(std::int64_t m, std::int64_t n, std::int64_t k, const WorkContext& c) {
  return gemm(m, k, n, GemmPass::InputGradient, c) + gemm(k, n, m, GemmPass::WeightGradient, c);
}

Seconds elementwise(double elements, double bytes_per_element, const LayerShapes& shapes,
                    const WorkContext& c) {
  const double compiled =
      c.job.runtime.torch_compile ? c.framework.kernels.compiled_elementwise.value : 1.0;
  const Bytes traffic(elements * bytes_per_element * shapes.bytes_scale *
                      c.framework.kernels.elementwise_traffic.value * compiled);
  return memory_bound_time(traffic, c.device);
}

Seconds attention_forward(const LayerShapes& shapes, const WorkContext& c) {
  if (c.job.attention == AttentionKernel::Unfused) {
    return unfused_attention_forward_time(shapes.attention, c.job.precision,
                                          c.framework.kernels.fused_elementwise, c.device);
  }
  return flash_attention_forward_time(shapes.attention, c.job.attention, c.job.precision, c.device);
}

Seconds attention_backward(const LayerShapes& shapes, const WorkContext& c) {
  if (c.job.attention == AttentionKernel::Unfused) {
    return unfused_attention_backward_time(shapes.attention, c.job.precision,
                                           c.framework.kernels.fused_elementwise, c.device);
  }
  return flash_attention_backward_time(shapes.attention, c.job.attention, c.job.precision,
                                       c.device);
}

// Bytes per element, 16-bit: a norm reads and writes (4); a residual with bias and dropout reads
// two, writes one and its mask (7), without dropout (gated models) 6; GeLU reads and writes (4),
// SwiGLU reads two and writes one (6); rotary reads and writes (4).
LayerPass forward_pass(const LayerShapes& s, const WorkContext& c) {
  const bool gated = c.job.model.gated_mlp;
  const double residual = gated ? 6 : 7;
  LayerPass pass;
  pass.attention = elementwise(s.hidden_elements, 4, s, c) +
                   gemm(s.tokens, s.query_key_value, s.hidden, GemmPass::Forward, c) +
                   elementwise(s.rotary_elements, 4, s, c) + attention_forward(s, c) +
                   gemm(s.tokens, s.hidden, s.attention_width, GemmPass::Forward, c) +
                   elementwise(s.hidden_elements, residual, s, c);
  pass.mlp = elementwise(s.hidden_elements, 4, s, c) +
             gemm(s.tokens, s.ffn_in, s.hidden, GemmPass::Forward, c) +
             elementwise(s.ffn_elements, gated ? 6 : 4, s, c) +
             gemm(s.tokens, s.hidden, s.ffn, GemmPass::Forward, c) +
             elementwise(s.hidden_elements, residual, s, c);
  return pass;
}

// A norm's gradient reads input and output gradient and writes (8 with the weight's), a residual's
// reads, unmasks and writes (5), GeLU's reads two and writes one (6), SwiGLU's reads three and
// writes two (10); a bias gradient reads its layer's output gradient once (2).
LayerPass backward_pass(const LayerShapes& s, const WorkContext& c) {
  const bool gated = c.job.model.gated_mlp;
  const double bias = c.job.model.linear_bias ? 2 : 0;
  const double tokens = static_cast<double>(s.tokens);
  LayerPass pass;
  pass.attention = elementwise(s.hidden_elements, 8, s, c) +
                   gemm_backward(s.tokens, s.query_key_value, s.hidden, c) +
                   elementwise(tokens * static_cast<double>(s.query_key_value), bias, s, c) +
                   elementwise(s.rotary_elements, 4, s, c) + attention_backward(s, c) +
                   gemm_backward(s.tokens, s.hidden, s.attention_width, c) +
                   elementwise(s.hidden_elements, 5 + bias, s, c);
  pass.mlp =
      elementwise(s.hidden_elements, 8, s, c) + gemm_backward(s.tokens, s.ffn_in, s.hidden, c) +
      elementwise(s.ffn_elements, (gated ? 10 : 6) + bias, s, c) +
      gemm_backward(s.tokens, s.hidden, s.ffn, c) + elementwise(s.hidden_elements, 5 + bias, s, c);
  return pass;
}

LayerPass recomputed_pass(const LayerPass& forward, const LayerShapes& s, const WorkContext& c) {
  switch (c.job.plan.recompute) {
    case Recompute::None:
      return {};
    case Recompute::Selective: {
      const double layers = c.framework.kernels.selective_recompute_layers;
      if (layers > 0) return {layers * forward.attention, layers * forward.mlp};
      // The attention core only; a fused kernel does so by itself.
      return {c.job.attention == AttentionKernel::Unfused ? attention_forward(s, c) : Seconds(),
              Seconds()};
    }
    case Recompute::Full:
      return forward;
  }
  return {};
}

Seconds host_time(Seconds launches, int collectives, const WorkContext& c) {
  const int tensor = c.job.plan.tensor_parallel;
  const FrameworkProfile& framework = c.framework;
  Seconds host = launches;
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
  const LayerShapes shapes = shapes_of(context);
  LayerCost cost;
  cost.forward = forward_pass(shapes, context);
  cost.backward = backward_pass(shapes, context);
  cost.recomputed = recomputed_pass(cost.forward, shapes, context);
  return cost;
}

HeadCost head_cost(const WorkContext& context) {
  const TrainingJob& job = context.job;
  const LayerShapes shapes = shapes_of(context);
  const std::int64_t vocab = padded_vocab(job, context.framework) / job.plan.tensor_parallel;
  const double logits = static_cast<double>(shapes.tokens) * static_cast<double>(vocab);
  // Loss and its gradient in one figure; a third of it belongs to the forward pass (two reads of
  // five: logits cast and maximum; exponent sum; gradient written and cast back).
  const Bytes loss_traffic(logits * context.framework.kernels.logit_traffic.value);
  HeadCost cost;
  cost.forward = elementwise(shapes.hidden_elements, 4, shapes, context) +
                 gemm(shapes.tokens, vocab, shapes.hidden, GemmPass::Forward, context) +
                 memory_bound_time(loss_traffic / 3.0, context.device);
  cost.backward = memory_bound_time(loss_traffic * (2.0 / 3.0), context.device) +
                  gemm_backward(shapes.tokens, vocab, shapes.hidden, context) +
                  elementwise(shapes.hidden_elements, 8, shapes, context);
  return cost;
}

HeadCost embedding_cost(const WorkContext& context) {
  const LayerShapes shapes = shapes_of(context);
  // Rows read and written, plus a position table or dropout pass (2 more); the gradient adds into
  // fp32 rows.
  return {elementwise(shapes.hidden_elements, 6, shapes, context),
          elementwise(shapes.hidden_elements, 10, shapes, context)};
}

Seconds host_forward_time(int collectives, const WorkContext& context) {
  return host_time(context.framework.host.layer_forward.value, collectives, context);
}

Seconds host_backward_time(int collectives, const WorkContext& context) {
  return host_time(context.framework.host.layer_backward.value, collectives, context);
}

Seconds paced_by_host(Seconds gpu, Seconds host, bool launch_blocking) {
  if (launch_blocking) return gpu + host;
  if (gpu <= Seconds() || host <= Seconds()) return gpu + host;
  const double longer = std::max(gpu, host).value();
  const double ratio = std::min(gpu, host).value() / longer;
  return Seconds(longer * std::pow(1.0 + std::pow(ratio, kHostSoftness), 1.0 / kHostSoftness));
}

}  // namespace stepcast
