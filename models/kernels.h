// How long one kernel runs on one GPU, from its shape. What a layer is made of is layer_cost.h's
// job.
#pragma once

#include <cstdint>

#include "base/units.h"
#include "models/profile.h"
#include "models/training_job.h"
#include "topology/cluster_spec.h"

namespace stepcast {

/// The GPU that kernels run on: its data sheet and what its kernels reach of it.
struct Device {
  GpuSpec gpu;
  GpuProfile profile;
};

/// The data sheet's dense rate of a precision.
FlopPerSecond peak_rate(Precision precision, const GpuSpec& gpu);

enum class GemmPass { Forward, InputGradient, WeightGradient };

/// D[m, n] = A[m, k] B[k, n], `batch` of them in one kernel.
struct GemmShape {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::int64_t batch = 1;
};

/// `micro_batch` sequences of `queries` tokens that look at `keys` tokens; heads are this GPU's
/// own.
struct AttentionShape {
  std::int64_t micro_batch = 1;
  std::int64_t heads = 0;
  std::int64_t groups = 0;  ///< key/value heads
  std::int64_t head_size = 0;
  std::int64_t queries = 0;
  std::int64_t keys = 0;
  bool causal = true;
};

/// Soft roofline with launch term:
///
///   t = ((2 m n k batch / (share peak))^p + (bytes / (share bandwidth))^p)^(1/p) + launch
///
/// with the weight gradient slower by its factor. Zero-size shapes take no time.
Seconds gemm_time(const GemmShape& shape, GemmPass pass, Precision precision, const Device& device);

/// Fused attention (FlashAttention 1, 2, 3):
///
///   t = max(4 micro_batch heads queries (seen + s0) head_size / (share clock peak),
///           bytes / (share bandwidth)) + floor,    seen = keys / 2 if causal, else keys
///
/// s0 stands for what short sequences lose. Versions 2 and 3 lose on small heads too: the share
/// grows as head_size / (head_size + e0) and is the profile's at 128. Backward does 2.5 times the
/// FLOP at its own rate. Fewer groups than heads save bytes, not FLOP; fp8 jobs multiply here in 16
/// bits. Requires a fused kernel. Source of the FLOP: Dao, arXiv:2307.08691, section 4.1.
Seconds flash_attention_forward_time(const AttentionShape& shape, AttentionKernel kernel,
                                     Precision precision, const Device& device);
Seconds flash_attention_backward_time(const AttentionShape& shape, AttentionKernel kernel,
                                      Precision precision, const Device& device);

/// Unfused attention: two batched GEMMs and the softmax-mask-dropout chain over the whole
/// [queries, keys] square; backward four GEMMs and the chain's gradient. `fused_softmax`: the chain
/// is one kernel.
Seconds unfused_attention_forward_time(const AttentionShape& shape, Precision precision,
                                       bool fused_softmax, const Device& device);
Seconds unfused_attention_backward_time(const AttentionShape& shape, Precision precision,
                                        bool fused_softmax, const Device& device);

/// A memory-bound kernel that moves `traffic` bytes (reads plus writes): never below the kernel
/// floor. Nothing to move takes no time.
Seconds memory_bound_time(Bytes traffic, const Device& device);

}  // namespace stepcast
