#include "models/optimizer.h"

#include <algorithm>

#include "models/gemm.h"
#include "models/kernels.h"

namespace stepcast {
namespace {

constexpr double kAdamMoments = 8.0;
constexpr double kMomentum = 4.0;
constexpr double kEightBitMoments = 2.0 + 8.0 / 2048.0;
constexpr double kCommonTraffic = 14.0;  // gradient 4, 16-bit weight 2, master read and written 8
constexpr double kNewtonSchulzSteps = 5.0;

double matrix_elements(const TrainingJob& job) {
  double sum = 0;
  for (const MatrixShape& matrix : layer_matrices(job)) {
    sum += static_cast<double>(matrix.elements());
  }
  return sum;
}

double factored_moment_bytes(const TrainingJob& job) {
  double vectors = 0;
  for (const MatrixShape& matrix : layer_matrices(job)) {
    vectors += static_cast<double>(matrix.inputs + matrix.outputs);
  }
  return 4.0 * vectors / matrix_elements(job);
}

// Tables and norms keep Adam's two moments.
double muon_state_bytes(const WorkContext& c) {
  const ModelShare whole{.layers = c.job.model.num_layers, .embedding = true, .head = true};
  const double all = static_cast<double>(share_parameters(whole, c));
  const double matrices = c.job.model.num_layers * matrix_elements(c.job) / all;
  return kMomentum * matrices + kAdamMoments * (1.0 - matrices);
}

double traffic_bytes(double state, bool reads_gradient_again) {
  return kCommonTraffic + 2.0 * state + (reads_gradient_again ? 4.0 : 0.0);
}

}  // namespace

std::vector<MatrixShape> layer_matrices(const TrainingJob& job) {
  const Transformer& model = job.model;
  const std::int64_t tensor = job.plan.tensor_parallel;
  const std::int64_t hidden = model.hidden_size;
  const std::int64_t heads = model.num_attention_heads / tensor;
  const std::int64_t groups = std::max<std::int64_t>(1, model.num_query_groups / tensor);
  const std::int64_t ffn = model.ffn_hidden_size / tensor;
  return {{hidden, (heads + 2 * groups) * model.head_size},
          {heads * model.head_size, hidden},
          {hidden, ffn * (model.gated_mlp ? 2 : 1)},
          {ffn, hidden}};
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

Seconds orthogonalization_time(int layers, const WorkContext& c) {
  if (c.job.optimizer != Optimizer::Muon) return {};
  const auto gemm = [&](std::int64_t m, std::int64_t n, std::int64_t k) {
    return gemm_time({.m = m, .n = n, .k = k}, GemmPass::Forward, Precision::Bf16, c.device);
  };
  Seconds layer;
  for (const MatrixShape& matrix : layer_matrices(c.job)) {
    const auto [n, m] = std::minmax(matrix.inputs, matrix.outputs);
    layer += kNewtonSchulzSteps * (gemm(n, n, m) + gemm(n, n, n) + gemm(n, m, n));
  }
  const double shards = c.job.plan.zero_stage > 0 ? shard_ranks(c.job.plan) : 1.0;
  return layers / shards * layer;
}

}  // namespace stepcast
