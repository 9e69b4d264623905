// Weights under a mask that changes during training: what their products gain, what the masks cost.
#pragma once

#include "models/gemm.h"
#include "models/memory.h"

namespace stepcast {

/// How many times as fast a linear layer's product runs. 2:4 patterns run on sparse tensor cores in
/// the forward pass and in the gradient by the input, 1.6 times as fast as dense ones where those
/// reach their peak (1.4 to 1.8 for large products: Mishra et al., arXiv:2104.08378, figure 3); the
/// gradient by the weights is dense, since a mask that changes needs all of it. Unstructured masks
/// gain nothing on a GPU.
double sparse_speed_up(GemmPass pass, const TrainingJob& job);

/// Bytes a weight beside the dense weights, which stay: a bit of mask; for 2:4 also two compressed
/// copies (the pattern does not survive a transposition) of half of the 16-bit values with 2 bits
/// each.
double mask_bytes(const TrainingJob& job);

/// Bytes a weight that a step moves to apply the mask to updated weights and, every
/// `mask_update_interval` steps, to choose it anew from them.
double mask_traffic_bytes(const TrainingJob& job);

}  // namespace stepcast
