// How long attention and memory-bound kernels run on one GPU, from their shapes (matrix products:
// gemm.h). What a layer is made of is layer_cost.h's job.
#pragma once

#include <cstdint>

#include "base/units.h"
#include "models/device.h"

namespace stepcast {

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

/// Fused attention (FlashAttention 1, 2, 3):
///
///   t = max(4 micro_batch heads queries (seen + s0) head_size / (share peak),
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
