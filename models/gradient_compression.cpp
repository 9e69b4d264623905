#include "models/gradient_compression.h"

#include <cmath>

#include "base/contract.h"
#include "models/gemm.h"
#include "models/kernels.h"
#include "models/optimizer.h"

namespace stepcast {
namespace {

constexpr double kSign = 1.0 / 8.0;

Operation operation(CollectiveKind kind, double bytes) { return {kind, Bytes(std::ceil(bytes))}; }

CollectiveKind reduction_of(const ParallelPlan& plan) {
  return plan.zero_stage > 0 ? CollectiveKind::ReduceScatter : CollectiveKind::AllReduce;
}

class Compressor {
 public:
  Compressor(double weights, const WorkContext& context)
      : weights_(weights), bytes_(gradient_reduce_bytes(context)), c_(context) {}

  CompressedReduction half() const {
    CompressedReduction reduction;
    reduction.sent = {operation(reduction_of(c_.job.plan), 2.0 * weights_)};
    if (bytes_ <= 2.0) return reduction;  // they are sent so anyway
    reduction.before = traffic(bytes_ + 2.0);
    reduction.after = traffic((2.0 + bytes_) / kept_share());
    return reduction;
  }

  CompressedReduction eight_bits() const {
    CompressedReduction reduction;
    reduction.before = traffic(bytes_ + kScaledByte);
    reduction.sent = {operation(CollectiveKind::AllToAll, kScaledByte * weights_)};
    reduction.after = traffic(kScaledByte + bytes_ / shards());
    if (c_.job.plan.zero_stage == 0) {
      reduction.sent.push_back(operation(CollectiveKind::AllGather, kScaledByte * weights_));
      reduction.after += traffic(kScaledByte + bytes_);
    }
    return reduction;
  }

  // Momentum and error are read, signs and error written; then the server's shard the same way.
  CompressedReduction one_bit() const {
    CompressedReduction reduction;
    reduction.before = traffic(4.0 + 4.0 + kSign + 4.0);
    reduction.sent = {operation(CollectiveKind::AllToAll, kSign * weights_),
                      operation(CollectiveKind::AllGather, kSign * weights_)};
    reduction.after = traffic((4.0 + 4.0 + kSign) / shards() + kSign + 4.0);
    return reduction;
  }

  CompressedReduction low_rank() const {
    const std::int64_t rank = c_.job.plan.compression_rank;
    const double layers = weights_ / static_cast<double>(share_parameters({.layers = 1}, c_));
    double outputs = 0, inputs = 0;
    Seconds products;
    for (const MatrixShape& matrix : layer_matrices(c_.job)) {
      outputs += static_cast<double>(matrix.outputs);
      inputs += static_cast<double>(matrix.inputs);
      products +=
          gemm(matrix.outputs, rank, matrix.inputs) + gemm(matrix.inputs, rank, matrix.outputs);
    }
    Seconds reconstruction;
    for (const MatrixShape& matrix : layer_matrices(c_.job)) {
      reconstruction += gemm(matrix.outputs, matrix.inputs, rank);
    }
    CompressedReduction reduction;
    reduction.before = traffic(bytes_ + 4.0 + 4.0) + layers * products;
    const double factor = 4.0 * layers * static_cast<double>(rank);
    reduction.sent = {operation(CollectiveKind::AllReduce, factor * outputs),
                      operation(CollectiveKind::AllReduce, factor * inputs)};
    reduction.after = layers * reconstruction + traffic(4.0 + 4.0 + 4.0);
    return reduction;
  }

 private:
  double shards() const { return shard_ranks(c_.job.plan); }
  // A scattered gradient is cast back where it is kept only.
  double kept_share() const { return c_.job.plan.zero_stage > 0 ? shards() : 1.0; }
  Seconds traffic(double bytes_a_weight) const {
    return memory_bound_time(Bytes(bytes_a_weight * weights_), c_.device);
  }
  Seconds gemm(std::int64_t m, std::int64_t n, std::int64_t k) const {
    return gemm_time({.m = m, .n = n, .k = k}, GemmPass::Forward, c_.job.precision, c_.device);
  }

  double weights_;
  double bytes_;
  const WorkContext& c_;
};

}  // namespace

CompressedReduction compressed_reduction(std::int64_t parameters, const WorkContext& context) {
  STEPCAST_REQUIRES(context.job.plan.gradient_compression.has_value());
  const Compressor compressor(static_cast<double>(parameters), context);
  switch (*context.job.plan.gradient_compression) {
    case GradientCompression::Fp16:
      return compressor.half();
    case GradientCompression::Int8:
      return compressor.eight_bits();
    case GradientCompression::OneBitAdam:
      return compressor.one_bit();
    case GradientCompression::PowerSgd:
      return compressor.low_rank();
  }
  return {};
}

double compression_state_bytes(const WorkContext& context) {
  const auto& compression = context.job.plan.gradient_compression;
  if (!compression) return 0.0;
  switch (*compression) {
    case GradientCompression::Fp16:
    case GradientCompression::Int8:
      return 0.0;
    case GradientCompression::OneBitAdam:  // of the worker, and of its shard as a server
      return 4.0 + 4.0 / shard_ranks(context.job.plan);
    case GradientCompression::PowerSgd:
      return 4.0;
  }
  return 0.0;
}

}  // namespace stepcast
