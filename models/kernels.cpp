// Kernel times in closed form. Constants are the GPU profile's; the few numbers here are counts:
// floating-point operations of a definition, bytes of a tensor element.
#include "models/kernels.h"

#include <algorithm>
#include <cmath>

#include "base/contract.h"
#include "models/gemm.h"

namespace stepcast {
namespace {

// Tensor cores load 16 bytes at a time: 8 elements of 16 bits.
constexpr std::int64_t aligned_head_size = 8;

double elements(std::int64_t rows, std::int64_t columns) {
  return static_cast<double>(rows) * static_cast<double>(columns);
}

bool is_empty(const AttentionShape& shape) {
  STEPCAST_REQUIRES(shape.micro_batch >= 0 && shape.heads >= 0 && shape.groups >= 0 &&
                    shape.head_size >= 0 && shape.queries >= 0 && shape.keys >= 0);
  return shape.micro_batch == 0 || shape.heads == 0 || shape.head_size == 0 || shape.queries == 0 ||
         shape.keys == 0;
}

// --- Fused attention ---------------------------------------------------------------------------

double kernel_rate(AttentionKernel kernel, const GpuProfile& profile) {
  switch (kernel) {
    case AttentionKernel::Flash1:
      return profile.attention.flash1_rate.value;
    case AttentionKernel::Flash2:
      return 1.0;
    case AttentionKernel::Flash3:
      return profile.attention.flash3_rate.value;
    case AttentionKernel::Unfused:
      break;
  }
  STEPCAST_REQUIRES(false && "a fused attention kernel");
  return 0;
}

/// Fused attention multiplies in 16 bits where the rest of the model runs in fp8.
Precision attention_precision(Precision precision) {
  return precision == Precision::Fp8 ? Precision::Bf16 : precision;
}

/// What a head of this size reaches of one of 128. Version 1 does as well on small ones.
double head_rate(std::int64_t head_size, AttentionKernel kernel, const GpuProfile& profile) {
  if (kernel == AttentionKernel::Flash1) return 1;
  constexpr double kUsual = 128;
  const double size = static_cast<double>(head_size);
  const double offset = profile.attention.flash_head_offset.value;
  return size / (size + offset) * (kUsual + offset) / kUsual;
}

FlopPerSecond flash_forward_rate(const AttentionShape& shape, AttentionKernel kernel,
                                 Precision precision, const Device& device) {
  const GpuProfile& profile = device.profile;
  return profile.attention.flash_peak_share.value * kernel_rate(kernel, profile) *
         head_rate(shape.head_size, kernel, profile) *
         peak_rate(attention_precision(precision), device.gpu);
}

/// Forward work, with the offset s0 that stands for what short sequences lose:
/// 4 micro_batch heads queries (keys seen + s0) head_size, half of the keys seen when causal.
Flop flash_forward_work(const AttentionShape& shape, const GpuProfile& profile) {
  const double keys_seen = static_cast<double>(shape.keys) * (shape.causal ? 0.5 : 1.0);
  const double width = static_cast<double>(shape.head_size);
  return Flop(4 * elements(shape.micro_batch, shape.heads) * static_cast<double>(shape.queries) *
              (keys_seen + profile.attention.flash_sequence_offset.value) * width);
}

/// Query and output of every head, key and value of every group. Scores stay on the chip.
Bytes flash_forward_traffic(const AttentionShape& shape, Precision precision) {
  const double vectors =
      2 * elements(shape.heads, shape.queries) + 2 * elements(shape.groups, shape.keys);
  return Bytes(vectors * elements(shape.micro_batch, shape.head_size) *
               bytes_per_element(precision));
}

/// Backward reads these and the output's gradient, and writes three gradients.
constexpr double flash_backward_traffic = 2;
/// Five products (scores again, then the gradients of value, probability, query and key) for two.
constexpr double flash_backward_work = 2.5;

Seconds flash_time(Flop work, FlopPerSecond rate, Bytes traffic, const Device& device) {
  const BytesPerSecond bandwidth =
      device.profile.memory_bound.bandwidth_share.value * device.gpu.memory_bandwidth;
  return std::max(work / rate, traffic / bandwidth) +
         device.profile.memory_bound.kernel_floor.value;
}

// --- Unfused attention -------------------------------------------------------------------------

Seconds batched_gemm_time(std::int64_t m, std::int64_t n, std::int64_t k,
                          const AttentionShape& shape, Precision precision, const Device& device) {
  const bool aligned = shape.head_size % aligned_head_size == 0;
  const double slowdown = aligned ? 1.0 : device.profile.gemm.misaligned_slowdown.value;
  // Both operands are activations, so no pass accumulates into fp32 as a weight gradient does.
  const GemmShape gemm{m, n, k, shape.micro_batch * shape.heads};
  return slowdown * gemm_time(gemm, GemmPass::Forward, attention_precision(precision), device);
}

/// Bytes per score of a 16 or 32 bit softmax and what stands around it, each kernel reading its
/// operands from memory and writing its result there; dropout's mask takes one byte.
///   fused:     softmax (read, write), dropout (read, mask, write)               4 e + 1
///   not fused: masking (read, mask, write), softmax in fp32 (read, write),
///              dropout (read, mask, write), and 16-bit scores cast to fp32 and back.
double softmax_forward_bytes(double element, bool fused) {
  if (fused) return 4 * element + 1;
  const double casts = element < 4 ? 2 * (element + 4) : 0;
  return (2 * element + 1) + 8 + (2 * element + 1) + casts;
}

/// Backward, softmax also reads its output: 5 e + 1 fused.
double softmax_backward_bytes(double element, bool fused) {
  if (fused) return 5 * element + 1;
  return softmax_forward_bytes(element, fused) + 4;
}

Seconds softmax_time(const AttentionShape& shape, double bytes_per_score, const Device& device) {
  const double scores =
      elements(shape.micro_batch, shape.heads) * elements(shape.queries, shape.keys);
  const double slowdown = device.profile.attention.unfused_softmax_slowdown.value;
  return memory_bound_time(Bytes(slowdown * bytes_per_score * scores), device);
}

}  // namespace

Seconds flash_attention_forward_time(const AttentionShape& shape, AttentionKernel kernel,
                                     Precision precision, const Device& device) {
  if (is_empty(shape)) return {};
  return flash_time(flash_forward_work(shape, device.profile),
                    flash_forward_rate(shape, kernel, precision, device),
                    flash_forward_traffic(shape, precision), device);
}

Seconds flash_attention_backward_time(const AttentionShape& shape, AttentionKernel kernel,
                                      Precision precision, const Device& device) {
  if (is_empty(shape)) return {};
  const FlopPerSecond rate = device.profile.attention.flash_backward_rate.value *
                             flash_forward_rate(shape, kernel, precision, device);
  return flash_time(flash_backward_work * flash_forward_work(shape, device.profile), rate,
                    flash_backward_traffic * flash_forward_traffic(shape, precision), device);
}

Seconds unfused_attention_forward_time(const AttentionShape& shape, Precision precision,
                                       bool fused_softmax, const Device& device) {
  if (is_empty(shape)) return {};
  const auto gemm = [&](std::int64_t m, std::int64_t n, std::int64_t k) {
    return batched_gemm_time(m, n, k, shape, precision, device);
  };
  const double softmax = softmax_forward_bytes(bytes_per_element(precision), fused_softmax);
  const Seconds scores = gemm(shape.queries, shape.keys, shape.head_size);
  const Seconds context = gemm(shape.queries, shape.head_size, shape.keys);
  return scores + softmax_time(shape, softmax, device) + context;
}

Seconds unfused_attention_backward_time(const AttentionShape& shape, Precision precision,
                                        bool fused_softmax, const Device& device) {
  if (is_empty(shape)) return {};
  const auto gemm = [&](std::int64_t m, std::int64_t n, std::int64_t k) {
    return batched_gemm_time(m, n, k, shape, precision, device);
  };
  const double softmax = softmax_backward_bytes(bytes_per_element(precision), fused_softmax);
  const Seconds value = gemm(shape.keys, shape.head_size, shape.queries);
  const Seconds probability = gemm(shape.queries, shape.keys, shape.head_size);
  const Seconds query = gemm(shape.queries, shape.head_size, shape.keys);
  const Seconds key = gemm(shape.keys, shape.head_size, shape.queries);
  return value + probability + softmax_time(shape, softmax, device) + query + key;
}

Seconds memory_bound_time(Bytes traffic, const Device& device) {
  STEPCAST_REQUIRES(traffic >= Bytes(0));
  if (traffic == Bytes(0)) return {};
  const BytesPerSecond bandwidth =
      device.profile.memory_bound.bandwidth_share.value * device.gpu.memory_bandwidth;
  return std::max(traffic / bandwidth, device.profile.memory_bound.kernel_floor.value);
}

}  // namespace stepcast
