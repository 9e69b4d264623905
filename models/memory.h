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
  bool head = false;             ///< and with it the multi-token prediction modules
  int kept_layers = 0;           ///< the last ones, which full recompute leaves out
  int segment = 1;               ///< layers that full recompute computes again together
  int segment_begun = 0;         ///< layers of the first segment that stand before the share
  bool segment_goes_on = false;  ///< the last one after it

  int all_layers() const { return layers + expert_layers; }
  LayerKind kind(int layer) const { return layer < layers ? LayerKind::Dense : LayerKind::Expert; }
  bool keeps_all(int layer) const { return layer >= all_layers() - kept_layers; }
  int place_in_segment(int layer) const { return (segment_begun + layer) % segment; }
  bool ends_segment(int layer) const {
    const bool last = layer == all_layers() - kept_layers - 1 && !segment_goes_on;
    return last || place_in_segment(layer) == segment - 1;
  }
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

/// What one micro-batch keeps of one layer (`context.layer`: of which kind) from its forward to its
/// backward pass, without gathered inputs:
///
///   no recompute         tokens (a_h h / t + a_f f / t)
///                        with 8 bytes of a_h at the widths of queries, keys, values and heads'
///                        output, and two thirds of a_f where the MLP is not gated
///                        [+ 5 bytes a score if attention is unfused]
///   selective recompute  the same without the scores, or for the framework's share of layers
///                        their input alone
///   left out of full recompute: as without recompute
///
/// Without sequence parallelism ten bytes of a_h are not divided by t (norms, residuals, masks).
/// Source: Korthikanti et al., MLSys '23, section 4, for which tensors are divided.
///
/// With experts, a_f is counted for the rows of routed and shared experts, and every routed row is
/// kept as it came and as it went (4 bytes h). Latent attention keeps its queries, keys, values and
/// narrow projections at their own widths in place of 8 bytes of a_h.
Bytes layer_stash(const WorkContext& context);

/// The part of it that is as wide as the MLP; nothing where some layers are computed again.
Bytes layer_stash_of_mlp(const WorkContext& context);

/// A layer's input, all that a segment keeps under full recompute: 2 tokens h.
Bytes layer_input(const WorkContext& context);

/// Both for `layers` layers of a chunk: the inputs of segments, the stashes of what is left out.
Bytes stashed_activations(int layers, const WorkContext& context);

/// What one micro-batch keeps of one layer where its tensor-parallel group's gathered inputs are
/// kept for the backward pass: a_g tokens h.
Bytes gathered_inputs(const WorkContext& context);

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
