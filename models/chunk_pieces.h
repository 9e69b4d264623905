// The blocks of a model chunk, cut where data-parallel or host traffic looks into them: by units
// that ZeRO 3 gathers or activations leave in, by buckets that gradients are reduced in.
#pragma once

#include <cstdint>
#include <vector>

#include "models/host_traffic.h"
#include "models/stage_blocks.h"

namespace stepcast {

/// Weights on one rank: those that all data ranks hold, and routed experts'.
struct Weights {
  std::int64_t parameters = 0;
  std::int64_t expert_parameters = 0;
  std::int64_t trained = 0;  ///< of `parameters`: those with gradients

  /// Frozen weights are neither reduced nor updated.
  Weights with_gradients() const { return {trained, expert_parameters, trained}; }
};
Weights weights_of(const ModelShare& share, const WorkContext& context);

/// Trained weights whose optimizer state this rank has: from ZeRO 1 on its shard, of experts its
/// share among the ranks that hold the same ones.
double owned_weights(const Weights& weights, const ParallelPlan& plan);

/// A part of a chunk's pass with the weights that it holds.
struct Piece : Weights {
  Passage block;
};

struct ChunkBlocks {
  Passage forward;
  Passage backward;
  Passage input_gradient;  ///< of split backward passes
  Passage weight_gradient;
  Passage forward_with_other;          ///< DualPipe: with the backward pass of the other chunk
  std::vector<Piece> forward_pieces;   ///< by unit or overlapped gather: by bucket
  std::vector<Piece> backward_pieces;  ///< by unit or overlapped reduction: by bucket
  std::vector<Stash> stashes;          ///< activations offloaded: of the forward pieces
};

/// Whether passes run unit by unit: embedding, layers and head one by one.
bool runs_by_units(const ParallelPlan& plan);

/// Whether gradients are reduced beside the backward pass, in buckets or by units.
bool overlaps_reduction(const ParallelPlan& plan);

/// ZeRO 1 and 2: updated parameters are gathered beside the next step's first forward pass. Every
/// step begins with the gathers that its predecessor left to it.
bool gathers_ahead(const ParallelPlan& plan);

/// Where gradients are copied to for reduction, and updated weights for gathering; 0: none is.
Bytes reduce_bucket(const StepContext& context);
Bytes gather_bucket(const StepContext& context);

/// Adds a chunk's blocks to `rank`, and its stashes through `host`.
ChunkBlocks build_chunk(const ModelShare& share, const StepContext& context, StepProgram& program,
                        RankProgram& rank, HostTraffic& host);

}  // namespace stepcast
