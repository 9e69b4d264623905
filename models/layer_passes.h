// One layer's pass as compute and collectives in order: which exchange stands where, and which run
// beside compute.
#pragma once

#include "models/passage_builder.h"

namespace stepcast {

/// One layer of a share: of which kind, and what becomes of it under full recompute.
struct LayerPlace {
  LayerKind kind = LayerKind::Dense;
  bool keeps_all = false;      ///< it is one that does not compute again
  bool begins_segment = true;  ///< its input is kept
  int brings_back = 1;         ///< layers, itself included, computed again before its backward pass
};
LayerPlace place_of(const ModelShare& share, int layer);

/// A layer's forward or backward pass, or half of the latter, paced by the host. What the gradient
/// of the weights needs stays until that has been worked out.
void add_layer(Pass pass, const LayerPlace& place, PassageBuilder& builder);

/// DualPipe's overlap: the forward pass of a layer with experts together with the backward pass of
/// one of another micro-batch. Every exchange of tokens runs beside compute of the other pass:
///
///   attention, forward     beside  dispatch, backward
///   experts, backward      beside  dispatch, forward
///   experts, forward       beside  combine, backward
///   attention, backward    beside  combine, forward
///
/// Source: DeepSeek-AI, DeepSeek-V3, arXiv:2412.19437, figure 4.
void add_expert_layers_together(const LayerPlace& forward, const LayerPlace& backward,
                                PassageBuilder& builder);

/// A collective on [tokens, hidden_size] of the tensor group.
Exchange tensor_exchange(CollectiveKind kind, const StepContext& context);

}  // namespace stepcast
