#include "models/fine_tuning.h"

#include <array>

#include "models/gemm.h"
#include "models/kernels.h"
#include "models/optimizer.h"

namespace stepcast {
namespace {

constexpr double kHalfPrecision = 2.0;

double bytes_of(BasePrecision precision) {
  switch (precision) {
    case BasePrecision::Bf16:
      return kHalfPrecision;
    case BasePrecision::Int8:
      return 1.0;
    case BasePrecision::Nf4:
      return (4.0 + 0.127) / 8.0;
  }
  return kHalfPrecision;
}

// Reads a quantised matrix and writes it in 16 bits; nothing where it is in 16 bits.
Seconds dequantization(const MatrixShape& matrix, const WorkContext& c) {
  const BasePrecision precision = c.job.fine_tuning->base_precision;
  if (precision == BasePrecision::Bf16) return {};
  const double bytes = bytes_of(precision) + kHalfPrecision;
  return memory_bound_time(Bytes(bytes * static_cast<double>(matrix.elements())), c.device);
}

Seconds low_rank_products(const MatrixShape& matrix, GemmPass pass, const WorkContext& c) {
  const std::int64_t tokens = tokens_per_micro_batch(c.job);
  const std::int64_t rank = c.job.fine_tuning->rank;
  const auto gemm = [&](std::int64_t inputs, std::int64_t outputs) {
    GemmShape shape{.m = tokens, .n = outputs, .k = inputs};
    if (pass == GemmPass::InputGradient) shape = {tokens, inputs, outputs};
    if (pass == GemmPass::WeightGradient) shape = {inputs, outputs, tokens};
    return gemm_time(shape, pass, c.job.precision, c.device);
  };
  return gemm(matrix.inputs, rank) + gemm(rank, matrix.outputs);
}

template <class TimeOf>
LayerPass over_matrices(const WorkContext& c, const TimeOf& time_of) {
  const std::vector<MatrixShape> matrices = layer_matrices(c.job);
  return {time_of(0, matrices[0]) + time_of(1, matrices[1]),
          time_of(2, matrices[2]) + time_of(3, matrices[3])};
}

}  // namespace

std::int64_t adapter_parameters(const ModelShare& share, const WorkContext& c) {
  const FineTuning& tuning = *c.job.fine_tuning;
  const std::vector<MatrixShape> matrices = layer_matrices(c.job);
  std::int64_t parameters = 0;
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    if (tuning.targets[i]) parameters += tuning.rank * (matrices[i].inputs + matrices[i].outputs);
  }
  return share.layers * parameters;
}

std::int64_t trained_parameters(const ModelShare& share, const WorkContext& c) {
  return c.job.fine_tuning ? adapter_parameters(share, c) : share_parameters(share, c);
}

Bytes frozen_weights(const ModelShare& share, const WorkContext& c) {
  if (!c.job.fine_tuning) return {};
  double matrices = 0;
  for (const MatrixShape& matrix : layer_matrices(c.job)) {
    matrices += share.layers * static_cast<double>(matrix.elements());
  }
  const double others = static_cast<double>(share_parameters(share, c)) - matrices;
  const Bytes whole(matrices * bytes_of(c.job.fine_tuning->base_precision) +
                    others * kHalfPrecision);
  return c.job.plan.zero_stage >= 3 ? whole / shard_ranks(c.job.plan) : whole;
}

LayerPass adapter_forward(const WorkContext& c) {
  if (!c.job.fine_tuning) return {};
  return over_matrices(c, [&](std::size_t i, const MatrixShape& matrix) {
    const bool adapted = c.job.fine_tuning->targets[i];
    return dequantization(matrix, c) +
           (adapted ? low_rank_products(matrix, GemmPass::Forward, c) : Seconds());
  });
}

LayerPass adapter_backward(const WorkContext& c) {
  if (!c.job.fine_tuning) return {};
  return over_matrices(c, [&](std::size_t i, const MatrixShape& matrix) {
    const bool adapted = c.job.fine_tuning->targets[i];
    Seconds time = dequantization(matrix, c);
    if (!adapted) return time;
    time += low_rank_products(matrix, GemmPass::InputGradient, c);
    return time + low_rank_products(matrix, GemmPass::WeightGradient, c);
  });
}

}  // namespace stepcast
