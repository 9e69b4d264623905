// In which order a pipeline stage works on its micro-batches, and where its model chunks lie.
#pragma once

#include <vector>

#include "models/training_job.h"

namespace stepcast {

/// A backward pass as a whole, or split: the gradient by the input, which the stage before waits
/// for, and the gradient by the weights, which nobody does.
enum class Pass : std::uint8_t { Forward, Backward, InputGradient, WeightGradient };
inline constexpr int kNumPasses = 4;

/// One turn of a stage: one pass of one micro-batch through one of its model chunks.
struct Slot {
  Pass pass;
  int micro_batch;
  int chunk;
  bool with_next = false;  ///< a forward pass that runs together with the backward pass after it
  friend bool operator==(const Slot&, const Slot&) = default;
};

struct PipelineShape {
  int stages = 1;
  int chunks = 1;  ///< model chunks per stage
  int micro_batches = 1;
};

/// The stage's slots in order. Every forward pass and every backward pass (whole, or both halves)
/// of each micro-batch and chunk comes once; DualPipe numbers the micro-batches of each of its two
/// directions (chunks) from 0, half of them in each.
///
///   GPipe         all forward passes, then all backward
///   1F1B          p - 1 - stage forward passes ahead, then one forward, one backward
///   interleaved   chunks in turn, p micro-batches at a time, 2 (p - 1 - stage) + (v - 1) p passes
///                 ahead (all of them when there are just p micro-batches)
///   zero_bubble   ZB-H1: 1F1B with split backward passes; stage i lags i weight gradients behind
///   zb_v          ZB-V: two chunks on a V, split backward passes throughout
///   dual_pipe     micro-batches from both ends; forward passes run together with backward passes
///                 of the other direction, the ends split backward passes
///
/// Requires 0 <= stage < stages, chunks == model_chunks of the schedule, and where it interleaves
/// micro_batches a multiple of stages; DualPipe: stages even, micro_batches even and >= 2 stages.
/// Source: Narayanan et al., SC '21, section 2.2, and Megatron-LM
/// core/pipeline_parallel/schedules.py; Qi et al., Zero Bubble Pipeline Parallelism, ICLR '24,
/// sections 2 and 6; DeepSeek-AI, DeepSeek-V3, arXiv:2412.19437, section 3.2.1, and its DualPipe.
std::vector<Slot> stage_slots(Schedule schedule, const PipelineShape& shape, int stage);

/// Whether some of its backward passes come in halves.
bool splits_backward(Schedule schedule);

/// How the chunks of the stages follow each other along the model.
enum class ChunkPath {
  Loop,     ///< chunk 0 of all stages, then chunk 1 of all stages, ...
  Vee,      ///< chunk 0 down the stages, chunk 1 back up: the last stage hands to itself
  Opposed,  ///< two copies of the model: chunk 0 down the stages, chunk 1 up
};
ChunkPath chunk_path(Schedule schedule);
ChunkPath chunk_path(const ParallelPlan& plan);  ///< a loop where the schedule is still open

/// Model chunks that a stage holds: virtual_pipeline, or 2 copies for DualPipe. Requires a
/// completed plan.
int model_chunks(const ParallelPlan& plan);

/// Places along the model, 0 the embedding's: how many there are, and that of a stage's chunk.
int num_places(ChunkPath path, const PipelineShape& shape);
int place_of(ChunkPath path, const PipelineShape& shape, int stage, int chunk);

/// Whether forward passes of the chunk go from the last stage to the first.
inline bool goes_up(ChunkPath path, int chunk) { return path != ChunkPath::Loop && chunk == 1; }

/// Micro-batches that pass through one chunk of a stage.
inline int micro_batches_of_chunk(ChunkPath path, const PipelineShape& shape) {
  return path == ChunkPath::Opposed ? shape.micro_batches / 2 : shape.micro_batches;
}

}  // namespace stepcast
