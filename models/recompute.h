// Which layers compute their activations again in the backward pass, and what they keep meanwhile.
#pragma once

#include "models/training_job.h"

namespace stepcast {

/// `layers` of a model chunk under full recompute: the first `again` of them keep only the input of
/// every `segment` layers, the others everything.
///
///   no method         segment 1, all again
///   uniform           segment recompute_num_layers, all again
///   block             segment 1, the first recompute_num_layers again
///   square_root       segment sqrt(layers), rounded, all again
///
/// A segment is computed again as a whole before its backward pass: layers / segment inputs and one
/// segment are alive together, which square_root makes smallest where a layer keeps as much as its
/// input: 2 sqrt(layers). Source: Chen et al., arXiv:1604.06174, section 4; Megatron-LM's
/// recompute_method for the other two.
struct RecomputedLayers {
  int again = 0;
  int segment = 1;
  int checkpoints() const { return (again + segment - 1) / segment; }
};
RecomputedLayers recomputed_layers(int layers, const ParallelPlan& plan);

}  // namespace stepcast
