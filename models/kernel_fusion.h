// What a layer's elementwise kernels cost where nobody fused them.
#pragma once

#include "models/layer_cost.h"

namespace stepcast {

/// The runtime's `kernel_fusion`, or the framework's habit where that is not stated.
bool fuses_kernels(const WorkContext& context);

/// Factors on what a layer's elementwise kernels cost as the framework is used to run them: bytes
/// moved, kernels run, and launches of all the layer's kernels (GEMMs and attention included).
struct FusionFactors {
  double traffic;
  double kernels;
  double launches;
};

/// Counted over a forward pass in 16 bits, fused against one PyTorch kernel for each operation, in
/// bytes per element of the hidden state (an MLP's elements count as four of them):
///
///   LayerNorm, bias, dropout, GeLU   norm 4 (one kernel either way), bias + dropout + residual 7
///                                    against 4 + 5 + 6, bias + GeLU 4 against 4 + 4
///   RMSNorm, SwiGLU, rotary          norm 4 against 30 in six kernels (cast, square, mean, scale,
///                                    cast, weight), rotary 4 against 20 in five, SiLU x gate 6
///                                    against 10 in two, residual 6 either way
///
/// where `kernel_fusion` differs from the framework's habit, and 1 where it does not: the fitted
/// traffic of elementwise kernels holds for the habit. Backward passes scale alike. Source: the
/// kernels that PyTorch runs for the plain form of each.
FusionFactors fusion_factors(const WorkContext& context);

}  // namespace stepcast
