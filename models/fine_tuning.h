// Fine-tuning with low-rank adapters: frozen weights have neither gradients nor optimizer state.
#pragma once

#include "models/memory.h"

namespace stepcast {

/// Weights of the share's adapters on one rank: rank x (inputs + outputs) for each targeted matrix
/// as the tensor-parallel rank holds it. Source: Hu et al., LoRA, ICLR '22, section 4.
std::int64_t adapter_parameters(const ModelShare& share, const WorkContext& context);

/// Weights that have gradients: the adapters, or all where nothing is frozen.
std::int64_t trained_parameters(const ModelShare& share, const WorkContext& context);

/// Bytes of the frozen weights, none where nothing is frozen. Layers' matrices by `base_precision`:
/// bf16 2 bytes, int8 1 (a scale for each row is not counted), nf4 0.5 and 0.127 bits of constants,
/// quantised twice (Dettmers et al., QLoRA, NeurIPS '23, section 3); tables and norms 2.
Bytes frozen_weights(const ModelShare& share, const WorkContext& context);

/// What adapters and quantised weights add to a layer's passes: two products of the adapter's rank
/// a target (four more in the backward pass), and in both passes the matrices brought back to 16
/// bits.
LayerPass adapter_forward(const WorkContext& context);
LayerPass adapter_backward(const WorkContext& context);

}  // namespace stepcast
