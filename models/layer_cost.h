// What one rank's GPU does for one micro-batch in one transformer layer, in the embedding and in
// the head: the kernels between the tensor-parallel collectives, and the host time that launches
// them.
#pragma once

#include "base/units.h"
#include "models/device.h"
#include "models/profile.h"
#include "models/training_job.h"

namespace stepcast {

/// Compute time of a layer's two halves; a tensor-parallel collective (or a gather before and a
/// scatter after, with sequence parallelism) belongs to each. With experts, `mlp` is the router and
/// what stands around the exchange of tokens.
struct LayerPass {
  Seconds attention{};
  Seconds mlp{};
  Seconds experts{};  ///< routed, on the busiest rank
  Seconds shared{};
  Seconds sum() const { return attention + mlp + experts + shared; }
  friend LayerPass operator*(double factor, const LayerPass& pass) {
    return {factor * pass.attention, factor * pass.mlp, factor * pass.experts,
            factor * pass.shared};
  }
  friend LayerPass operator+(const LayerPass& a, const LayerPass& b) {
    return {a.attention + b.attention, a.mlp + b.mlp, a.experts + b.experts, a.shared + b.shared};
  }
  friend LayerPass operator-(const LayerPass& a, const LayerPass& b) {
    return {a.attention - b.attention, a.mlp - b.mlp, a.experts - b.experts, a.shared - b.shared};
  }
};

struct LayerCost {
  LayerPass forward;
  LayerPass backward;         ///< without what is computed again
  LayerPass weight_gradient;  ///< the part of it that no other layer waits for: the weights' GEMMs
  Seconds core_forward;       ///< of `attention`, what mixes tokens: scores, softmax, values
  Seconds core_backward;
  LayerPass recomputed;  ///< forward work done again in the backward pass (selective or full)
};

/// Everything that layer and head costs depend on, in one place.
struct WorkContext {
  const TrainingJob& job;
  const FrameworkProfile& framework;
  const Device& device;
  LayerKind layer = LayerKind::Dense;  ///< which kind of layer is asked for

  WorkContext of(LayerKind kind) const { return {job, framework, device, kind}; }
};

/// One layer on one rank for one micro-batch: matrices split over tensor_parallel, tokens over
/// context_parallel; norms and residuals over tensor_parallel too with sequence parallelism.
LayerCost layer_cost(const WorkContext& context);

struct HeadCost {
  Seconds forward;   ///< final norm, logits, loss
  Seconds backward;  ///< its gradient, and the logits' two gradient GEMMs
};
HeadCost head_cost(const WorkContext& context);
/// What a multi-token prediction module has besides its layer and the head.
HeadCost prediction_projection_cost(const WorkContext& context);

/// Embedding lookup and its gradient, on the first stage.
HeadCost embedding_cost(const WorkContext& context);

/// Host time to launch one layer's forward or backward pass with `collectives` tensor-parallel
/// collectives in it. Blocking launches and torch.compile act here.
Seconds host_forward_time(int collectives, const WorkContext& context);
Seconds host_backward_time(int collectives, const WorkContext& context);

/// Share of a backward pass's launches that are its weights' GEMMs, where it is split.
double host_weight_gradient_share();

/// GPU and host time of the same stretch of work as one: the longer of the two where launches run
/// ahead (softened, since neither bound holds throughout: (g^6 + h^6)^(1/6)), their sum where every
/// launch blocks.
Seconds paced_by_host(Seconds gpu, Seconds host, bool launch_blocking);

}  // namespace stepcast
