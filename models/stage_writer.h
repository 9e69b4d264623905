// Writes the streams of one pipeline stage's rank: its slots in schedule order with their messages,
// then the reduction of the gradients and the optimizer step.
#pragma once

#include <vector>

#include "models/pipeline_schedule.h"
#include "models/stage_blocks.h"

namespace stepcast {

/// Where the stage stands in the pipeline and what it holds.
struct StageSite {
  int stage = 0;
  ChunkPath path = ChunkPath::Loop;
  PipelineShape shape;
  std::vector<ModelShare> chunks;  ///< the stage's own model chunks
  bool shares_embedding = false;   ///< its tied table has a twin on another stage

  ModelShare all_chunks() const {
    ModelShare all;
    for (const ModelShare& chunk : chunks) all = all + chunk;
    return all;
  }
  int place(int chunk) const { return place_of(path, shape, stage, chunk); }
  int num_micro_batches() const { return micro_batches_of_chunk(path, shape); }
  /// Whether a forward pass of the chunk gets its input from another rank, or sends it to one.
  bool receives_forward(int chunk) const {
    return place(chunk) > 0 && !(turns() && place(chunk) == shape.stages);
  }
  bool sends_forward(int chunk) const {
    return place(chunk) < num_places(path, shape) - 1 &&
           !(turns() && place(chunk) == shape.stages - 1);
  }

 private:
  // At the foot of a V the last stage hands to itself.
  bool turns() const { return path == ChunkPath::Vee; }
};

RankProgram write_stage(const StageSite& site, const StepContext& context, StepProgram& program);

}  // namespace stepcast
