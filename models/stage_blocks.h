// The blocks of one pipeline stage: a run of layers, with embedding and head where the stage has
// them, for one micro-batch and pass, and the operations that they call.
#pragma once

#include <span>

#include "models/layer_cost.h"
#include "models/memory.h"
#include "models/pipeline_schedule.h"
#include "models/step_groups.h"
#include "models/step_program.h"
#include "models/step_tensors.h"
#include "models/stream_writer.h"

namespace stepcast {

/// What the writer of a step knows beside the job: costs of the kernels and of the collectives
/// inside blocks when nothing disturbs them (the host's pace depends on both).
struct StepContext {
  WorkContext work;
  const NetworkProfile& network;
  LayerCost layer;         ///< with a dense MLP
  LayerCost expert_layer;  ///< with experts, where the model has them
  HeadCost head;
  HeadCost embedding;
  HeadCost prediction_projection;        ///< of a multi-token prediction module
  Seconds slow_tensor_collective{};      ///< what one takes at least: a framework's trait
  Seconds crossing_tensor_collective{};  ///< what one takes longer: another
  Seconds message_hold{};                ///< for which a pipeline message holds both its ends
  double straggling = 1.0;               ///< factor on compute: the wait for the slowest rank
  GroupLayout tensor_layout;             ///< of the first tensor group
  GroupLayout context_layout;
  GroupLayout expert_layout;
  GroupLayout expert_tensor_layout;
  StepTensors tensors{};  ///< what blocks allocate and free

  const TrainingJob& job() const { return work.job; }
  const ParallelPlan& plan() const { return work.job.plan; }
  /// Of the groups whose collectives stand inside layers.
  const GroupLayout& layout(Group group) const;
};

Work work_of(Pass pass);

/// Looks an operation up in the program's table, adding it where it is new.
int operation_index(StepProgram& program, CollectiveKind kind, Bytes message);

/// Whole bytes of [tokens of one micro-batch, hidden_size] in the job's precision.
Bytes hidden_state_bytes(const TrainingJob& job);

/// How long one layer's forward pass (the model's first kind) keeps a GPU busy, with its
/// collectives and the host's pace, when nothing disturbs it.
Seconds layer_forward_time(const StepContext& context);

/// Adds the pass's blocks to `rank` and returns them in order. `slowdown` stretches the compute
/// (interference with communication that runs beside it). An empty share gives a block of no
/// duration. A backward pass in halves keeps the head in the first, the embedding in the second.
Passage add_block(Pass pass, const ModelShare& share, double slowdown, const StepContext& context,
                  StepProgram& program, RankProgram& rank);

/// A forward and a backward pass of different micro-batches as one: layers with experts overlap
/// (layer_passes.h), others follow each other. What the backward pass had kept ends with the pair,
/// as the schedule's papers count.
Passage add_pair(const ModelShare& forward, const ModelShare& backward, const StepContext& context,
                 StepProgram& program, RankProgram& rank);

}  // namespace stepcast
