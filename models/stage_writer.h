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
  PipelineShape shape;
  std::vector<ModelShare> chunks;  ///< the stage's own model chunks
  bool shares_embedding = false;   ///< its tied table has a twin on another stage

  bool is_first(int chunk) const { return stage == 0 && chunk == 0; }
  bool is_last(int chunk) const { return stage == shape.stages - 1 && chunk == shape.chunks - 1; }
};

RankProgram write_stage(const StageSite& site, const StepContext& context, StepProgram& program);

}  // namespace stepcast
