#include "models/optimizer.h"

#include <algorithm>

#include "models/gemm.h"
#include "models/kernels.h"
#include "models/layer_shapes.h"

namespace stepcast {
namespace {

constexpr double kAdamMoments = 8.0;
constexpr double kMomentum = 4.0;
constexpr double kEightBitMoments = 2.0 + 8.0 / 2048.0;
constexpr double kCommonTraffic = 14.0;  // gradient 4, 16-bit weight 2, master read and written 8
constexpr double kNewtonSchulzSteps = 5.0;

// The whole model's layers, by kind, as one rank would hold them.
ModelShare whole_model(const Transformer& model) {
  return {.layers = layers_of(model, LayerKind::Dense),
          .expert_layers = layers_of(model, LayerKind::Expert),
          .embedding = true,
          .head = true};
}

template <class Figure>
double sum_over_matrices(const TrainingJob& job, const Figure& figure) {
  double sum = 0;
  for (const LayerKind kind : {LayerKind::Dense, LayerKind::Expert}) {
    const int layers = layers_of(job.model, kind);
    if (layers == 0) continue;
    for (const MatrixShape& matrix : layer_matrices(job, kind)) sum += layers * figure(matrix);
  }
  return sum;
}

double matrix_elements(const TrainingJob& job) {
  return sum_over_matrices(
      job, [](const MatrixShape& matrix) { return static_cast<double>(matrix.elements()); });
}

double factored_moment_bytes(const TrainingJob& job) {
  const double vectors = sum_over_matrices(job, [](const MatrixShape& matrix) {
    return static_cast<double>((matrix.inputs + matrix.outputs) * matrix.count);
  });
  return 4.0 * vectors / matrix_elements(job);
}

// Tables and norms keep Adam's two moments.
double muon_state_bytes(const WorkContext& c) {
  const ModelShare whole = whole_model(c.job.model);
  const auto all =
      static_cast<double>(share_parameters(whole, c) + share_expert_parameters(whole, c));
  const double matrices = matrix_elements(c.job) / all;
  return kMomentum * matrices + kAdamMoments * (1.0 - matrices);
}

double traffic_bytes(double state, bool reads_gradient_again) {
  return kCommonTraffic + 2.0 * state + (reads_gradient_again ? 4.0 : 0.0);
}

}  // namespace

std::vector<MatrixShape> layer_matrices(const TrainingJob& job, LayerKind kind) {
  const LayerShapes shapes = layer_shapes(job, kind);
  std::vector<MatrixShape> matrices;
  const auto add = [&](const Linears& linears, bool of_experts) {
    for (const Linear& linear : linears) {
      matrices.push_back({linear.inputs, linear.outputs, linear.batch, of_experts});
    }
  };
  add(shapes.attention_input, false);
  add({shapes.attention_output}, false);
  add(shapes.mlp, false);
  add(shapes.expert, true);
  add(shapes.shared, false);
  return matrices;
}

double optimizer_moment_bytes(const WorkContext& c) {
  switch (c.job.optimizer) {
    case Optimizer::AdamW:
    case Optimizer::Adam: {
      const Precision state = c.job.optimizer_state_precision.value_or(Precision::Fp32);
      return 2.0 * bytes_per_element(c.job.moment_precision.value_or(state));
    }
    case Optimizer::Adam8bit:
      return kEightBitMoments;
    case Optimizer::Adafactor:
      return factored_moment_bytes(c.job);
    case Optimizer::SgdMomentum:
      return kMomentum;
    case Optimizer::Muon:
      return muon_state_bytes(c);
  }
  return kAdamMoments;
}

double optimizer_traffic_share(const WorkContext& c) {
  const bool adam = c.job.optimizer == Optimizer::AdamW || c.job.optimizer == Optimizer::Adam;
  if (adam && !c.job.moment_precision) return 1.0;
  return traffic_bytes(optimizer_moment_bytes(c), c.job.optimizer == Optimizer::Adafactor) /
         traffic_bytes(kAdamMoments, false);
}

Seconds orthogonalization_time(const ModelShare& share, const WorkContext& c) {
  if (c.job.optimizer != Optimizer::Muon) return {};
  const auto gemm = [&](std::int64_t m, std::int64_t n, std::int64_t k) {
    return gemm_time({.m = m, .n = n, .k = k}, GemmPass::Forward, Precision::Bf16, c.device);
  };
  const bool sharded = c.job.plan.zero_stage > 0;
  const double shards = sharded ? shard_ranks(c.job.plan) : 1.0;
  const double expert_shards = sharded ? expert_data_group_size(c.job.plan) : 1.0;
  Seconds time;
  for (const LayerKind kind : {LayerKind::Dense, LayerKind::Expert}) {
    const int layers = kind == LayerKind::Dense ? share.layers : share.expert_layers;
    if (layers == 0) continue;
    for (const MatrixShape& matrix : layer_matrices(c.job, kind)) {
      const auto [n, m] = std::minmax(matrix.inputs, matrix.outputs);
      const double dealt =
          layers * static_cast<double>(matrix.count) / (matrix.of_experts ? expert_shards : shards);
      time += dealt * kNewtonSchulzSteps * (gemm(n, n, m) + gemm(n, n, n) + gemm(n, m, n));
    }
  }
  return time;
}

}  // namespace stepcast
