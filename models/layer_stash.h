// What a layer keeps of one micro-batch from its forward to its backward pass, tensor by tensor:
// which of them are computed again instead, and in how many bytes the others are stored.
#pragma once

#include "base/units.h"
#include "models/layer_cost.h"

namespace stepcast {

/// What a plan computes again by operation: as it states, or where it says "selective" alone the
/// attention core. Nothing under other recompute, or where the framework computes whole layers
/// again.
RecomputedOperations recomputed_operations(const TrainingJob& job,
                                           const FrameworkProfile& framework);

/// What one micro-batch keeps of one layer (`context.layer`: of which kind) from its forward to its
/// backward pass, without gathered inputs. Of a token on one of t tensor ranks, in 16 bits:
///
///   bytes                      made again by         stored in fp8 as
///   4 h          inputs of both norms
///   4 h          norms' outputs         norm                  half: inputs of products
///   (a_h - 16) h residuals and masks
///   2 widths     queries, keys, values  mla_up_projection
///   2 width      the heads' output                            3 bytes: for attention and product
///   2 narrow     latents (latent attention)
///   2 narrow     their norms' outputs   norm                  half
///   4 f          gate and up (2 f: plain)                     half where the plan says so
///   2 f          the product's input    activation            half
///   (a_f - 6) f  copies of the gate     activation
///   2 h a row    rows sent to experts                         half
///   2 h a row    rows that come back, unless the router weighs them inside the experts
///   5 a score    where attention is unfused   attention_core
///
/// A whole MLP that is computed again (mlp, experts) leaves the norms' outputs alone. Divided by t
/// with sequence parallelism; without it inputs and outputs of norms and 2 h of the residuals are
/// whole. With experts, f counts the rows of routed and shared experts. Under full recompute: what
/// a layer that is left out keeps. Source: Korthikanti et al., MLSys '23, section 4.
Bytes layer_stash(const WorkContext& context);

/// The part of it that is as wide as the MLP; nothing where some layers are computed again whole.
Bytes layer_stash_of_mlp(const WorkContext& context);

/// A layer's input, all that a segment keeps under full recompute: 2 tokens h.
Bytes layer_input(const WorkContext& context);

/// Both for `layers` layers of a chunk: the inputs of segments, the stashes of what is left out.
Bytes stashed_activations(int layers, const WorkContext& context);

/// What one micro-batch keeps of one layer where its tensor-parallel group's gathered inputs are
/// kept for the backward pass: a_g tokens h.
Bytes gathered_inputs(const WorkContext& context);

/// What the backward pass brings to life again: of one segment (a layer, unless recompute_method
/// says more) of a chunk of `layers` layers under full recompute, of the larger half of a layer by
/// operation, in the job's precision.
Bytes recompute_working_set(int layers, const WorkContext& context);

}  // namespace stepcast
