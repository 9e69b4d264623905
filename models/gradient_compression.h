// Gradients that are sent smaller than they are, and what it costs to make them so.
#pragma once

#include <vector>

#include "models/memory.h"
#include "models/step_program.h"

namespace stepcast {

/// How the gradients of some weights travel: kernels in front, the operations one after the other,
/// kernels behind.
struct CompressedReduction {
  Seconds before;
  std::vector<Operation> sent;
  Seconds after;
};

/// The reduction of `parameters` gradients, g bytes each, under the plan's `gradient_compression`
/// (which must be one), summed whole or, where the optimizer is sharded, scattered:
///
///   fp16         2 bytes each by the same collective; a cast on either side
///   int8         a byte each (and an fp32 scale for every 2,048) by an all-to-all, then, where
///   they
///                are summed whole, a gather of as many: ZeRO++'s one-hop form (Wang et al.,
///                arXiv:2306.10209); quantised before, summed and dequantised behind
///   one_bit_adam the momentum's signs, an eighth of a byte each, by an all-to-all and a gather, as
///                after its warm-up (Tang et al., ICML '21); error feedback read and written
///   powersgd     two all-reduces of r (inputs + outputs) fp32 numbers of every matrix of a layer;
///                three products of rank r and error feedback (Vogels et al., NeurIPS '19)
CompressedReduction compressed_reduction(std::int64_t parameters, const WorkContext& context);

/// Bytes per weight that the method keeps on the GPU: error feedback.
double compression_state_bytes(const WorkContext& context);

}  // namespace stepcast
