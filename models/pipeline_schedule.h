// In which order a pipeline stage works on its micro-batches.
#pragma once

#include <vector>

#include "models/training_job.h"

namespace stepcast {

enum class Pass : std::uint8_t { Forward, Backward };

/// One turn of a stage: one pass of one micro-batch through one of its model chunks.
struct Slot {
  Pass pass;
  int micro_batch;
  int chunk;
  friend bool operator==(const Slot&, const Slot&) = default;
};

struct PipelineShape {
  int stages = 1;
  int chunks = 1;  ///< model chunks per stage
  int micro_batches = 1;
};

/// The stage's slots in order: every (pass, micro-batch, chunk) once.
///
/// GPipe: all forward passes, then all backward. 1F1B: p - 1 - stage forward passes ahead, then one
/// forward, one backward. Interleaved: chunks in turn, p micro-batches at a time, with
/// 2 (p - 1 - stage) + (v - 1) p passes ahead (all of them when there are just p micro-batches).
/// Requires 0 <= stage < stages; chunks == 1 unless interleaved, and then micro_batches a multiple
/// of stages.
/// Source: Narayanan et al., SC '21, section 2.2; Megatron-LM core/pipeline_parallel/schedules.py.
std::vector<Slot> stage_slots(Schedule schedule, const PipelineShape& shape, int stage);

}  // namespace stepcast
