// Bytes that one rank holds: model state by precision and ZeRO stage, what ZeRO-3 gathers, the
// logits, NCCL's buffers. What layers keep is layer_stash.h's, when they are alive the step
// program's business.
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

/// Whether the job leaves it to the framework's release if gradients are kept in fp32.
bool leaves_gradients_open(const WorkContext& context);

/// Weights of the share's routed experts on one rank.
std::int64_t share_expert_parameters(const ModelShare& share, const WorkContext& context);

struct ModelState {
  Bytes weights;
  Bytes gradients;  ///< with the reducer's buckets, where they live as long
  Bytes optimizer;  ///< master copy and moments

  Bytes total() const { return weights + gradients + optimizer; }
  friend ModelState operator+(const ModelState& a, const ModelState& b) {
    return {a.weights + b.weights, a.gradients + b.gradients, a.optimizer + b.optimizer};
  }
};

/// Bytes of weights, gradients and optimizer state of `parameters` weights on one rank, ZeRO's
/// division by the shard group included; without what is offloaded. Source for the stages:
/// Rajbhandari et al., SC '20, fig. 1.
ModelState model_state(std::int64_t parameters, const WorkContext& context);

/// The bucket that gradients of `parameters` weights are copied to in order to be reduced. It lives
/// as long as gradients where they are reduced within backward passes, else while they are reduced.
Bytes reduction_bucket(std::int64_t parameters, const WorkContext& context);
bool reduces_within_backward(const ParallelPlan& plan);

/// A job whose data-parallel ranks are those that hold the same experts.
TrainingJob job_of_experts(const TrainingJob& job);

/// The same of `parameters` weights of routed experts, which ZeRO divides by the ranks that hold
/// the same experts.
ModelState expert_model_state(std::int64_t parameters, const WorkContext& context);

/// Bytes per weight of what is sent to reduce a gradient, and to gather a parameter.
double gradient_reduce_bytes(const WorkContext& context);
double parameter_gather_bytes(const WorkContext& context);

/// Of a weight or gradient in 8 bits, with an fp32 scale for every 2,048.
inline constexpr double kScaledByte = 1.0 + 4.0 / 2048.0;

/// With `quantized_gather`: the kernels that bring `parameters` gathered weights back to the job's
/// precision, and had quantised this rank's shard of them. Source: Wang et al., ZeRO++,
/// arXiv:2306.10209, section 3.1: blocks of weights with a scale each.
Seconds dequantization_time(std::int64_t parameters, const WorkContext& context);

/// Logits, their fp32 copy and gradient on the rank that computes the loss; with more than one
/// micro-batch what is still alive of the one before, unless that is in flight on the same rank.
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
