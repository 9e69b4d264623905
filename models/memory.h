// Bytes that one rank holds: model state by precision and ZeRO stage, activations by recompute, the
// logits. When they are alive is the step program's business.
#pragma once

#include <cstdint>

#include "base/units.h"
#include "models/layer_cost.h"

namespace stepcast {

/// Which parts of the model a rank (or one of its model chunks) holds.
struct ModelShare {
  int layers = 0;         ///< with a dense MLP; they come first
  int expert_layers = 0;  ///< with experts
  bool embedding = false;
  bool head = false;    ///< and with it the multi-token prediction modules
  int kept_layers = 0;  ///< the last ones, which full recompute leaves out

  int all_layers() const { return layers + expert_layers; }
  LayerKind kind(int layer) const { return layer < layers ? LayerKind::Dense : LayerKind::Expert; }
  bool keeps_all(int layer) const { return layer >= all_layers() - kept_layers; }
  friend bool operator==(const ModelShare&, const ModelShare&) = default;
  friend ModelShare operator+(ModelShare a, ModelShare b) {
    return {a.layers + b.layers, a.expert_layers + b.expert_layers, a.embedding || b.embedding,
            a.head || b.head, a.kept_layers + b.kept_layers};
  }
};

/// `count` of the share's layers from `first` on, without its tables.
ModelShare layers_of(const ModelShare& share, int first, int count);

/// Weights of a share on one tensor-parallel rank, routed experts left out: matrices and tables
/// split, norms, router and narrow projections whole. A tied table counts once where embedding and
/// head are on the same rank, twice otherwise. Two copies of the model count both.
std::int64_t share_parameters(const ModelShare& share, const WorkContext& context);

/// Bytes per weight of a rank that shards nothing: what is computed with, its gradient as kept, and
/// the optimizer's master copy and moments.
struct StateBytes {
  double weight;
  double gradient;
  double optimizer;
};
StateBytes state_bytes(const WorkContext& context);

/// Weights of the share's routed experts on one rank.
std::int64_t share_expert_parameters(const ModelShare& share, const WorkContext& context);

struct ModelState {
  Bytes weights;
  Bytes gradients;  ///< with the reducer's buckets
  Bytes optimizer;  ///< master copy and moments
};

/// Bytes of weights, gradients and optimizer state of `parameters` weights on one rank, ZeRO's
/// division by the shard group included; without what is offloaded. Source for the stages:
/// Rajbhandari et al., SC '20, fig. 1.
ModelState model_state(std::int64_t parameters, const WorkContext& context);

/// The same of `parameters` weights of routed experts, which ZeRO divides by the ranks that hold
/// the same experts.
ModelState expert_model_state(std::int64_t parameters, const WorkContext& context);

/// Bytes per weight of what is sent to reduce a gradient, and to gather a parameter.
double gradient_reduce_bytes(const WorkContext& context);
double parameter_gather_bytes(const WorkContext& context);

/// What one micro-batch keeps of `layers` layers from its forward to its backward pass:
///
///   recompute none       layers tokens (a_h h / t + a_f f / t [+ a_rep h if inputs stay gathered])
///                        with 4 bytes of a_h for keys and values scaled to the query groups, and
///                        two thirds of a_f where the MLP is not gated
///                        [+ 5 bytes a score if attention is unfused]
///   recompute selective  the same without the scores, or the full form for the framework's share
///   of
///                        layers
///   recompute full       each segment's input: 2 tokens h, and all of layers that block leaves out
///
/// Without sequence parallelism ten bytes of a_h are not divided by t (norms, residuals, masks).
/// Source: Korthikanti et al., MLSys '23, section 4, for which tensors are divided.
///
/// With experts, a_f is counted for the rows of routed and shared experts, and every routed row is
/// kept as it came and as it went (4 bytes h). Latent attention keeps its queries, keys, values and
/// narrow projections at their own widths in place of 8 bytes of a_h. `context.layer`: which kind.
Bytes stashed_activations(int layers, const WorkContext& context);

/// Of all layers of a share, multi-token prediction's included.
Bytes stashed_activations(const ModelShare& share, const WorkContext& context);

/// What the backward pass of one segment (a layer, unless recompute_method says more) of a chunk of
/// `layers` layers brings to life again under full recompute; else nothing.
Bytes recompute_working_set(int layers, const WorkContext& context);

/// Logits, their fp32 copy and gradient on the rank that computes the loss.
Bytes logit_bytes(const WorkContext& context);

/// NCCL's buffers, outside the allocator: for each of the rank's communicators and channels a
/// Simple (4 MiB), an LL (512 KiB) and an LL128 (4.9 MB) buffer for each of three connections (two
/// of the ring, one of the tree). Channels by GPU generation, as NCCL's logs print them. Source:
/// NCCL src/include/device.h and src/init.cc at v2.18.3.
Bytes communicator_buffers(const WorkContext& context);

/// ZeRO-3: layers that are gathered together, how many such units are gathered ahead of the one in
/// use, and the messages that one takes.
struct GatherUnits {
  int layers = 1;
  int ahead = 1;
  int messages = 1;
};
GatherUnits gather_units(const WorkContext& context);

/// ZeRO-3: weights of the share that are gathered at one time: the tables, the unit in use and
/// those ahead, or all of them where they stay until the backward pass.
Bytes gathered_parameters(const ModelShare& share, const WorkContext& context);

/// Ranks that ZeRO shards over: data_parallel x context_parallel, or the plan's shard_group.
int shard_ranks(const ParallelPlan& plan);

}  // namespace stepcast
