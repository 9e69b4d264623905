// Who talks to whom: the communicators of a step, and the local numbers by which every rank's
// program calls them.
#pragma once

#include <vector>

#include "models/step_program.h"
#include "models/training_job.h"
#include "topology/placement.h"

namespace stepcast {

/// Local number of a rank's communicator. A rank that has no such communicator holds -1 there.
enum class Group : int {
  Tensor,
  Context,
  Data,          ///< ranks with the same weights: data x context, of two stages under dual_pipe
  Shard,         ///< the part of Data that ZeRO shards over
  Replica,       ///< ranks with the same shard, where shard_group is smaller than data_parallel
  Expert,        ///< ranks that share the experts of a layer
  ExpertTensor,  ///< ranks that share an expert's matrices
  ExpertData,    ///< ranks with the same experts
  Model,         ///< tensor x pipeline: one replica of the model
  Embedding,     ///< first stage and head stage, which share a tied table
  ToHost,        ///< the rank alone: copies to its host, from it, and the host's memory
  FromHost,
  HostMemory,
  SendForward,  ///< pairs: to and from the neighbours in the pipeline, which is a ring for chunks
  ReceiveForward,
  SendBackward,
  ReceiveBackward,
  SendForwardUp,  ///< the same for model chunks that run from the last stage to the first
  ReceiveForwardUp,
  SendBackwardUp,
  ReceiveBackwardUp,
};
inline constexpr int kNumGroups = 21;

/// Adds communicators and communicators_of_rank to `program`. Groups of one rank are left out.
/// `head_stage`: the pipeline stage of the loss.
void add_groups(const TrainingJob& job, const RankGrid& grid, int head_stage, StepProgram& program);

/// The ranks of `rank`'s group; a pair is {sender, receiver}. Empty where it has none.
std::vector<int> group_ranks(Group group, int rank, const TrainingJob& job, const RankGrid& grid,
                             int head_stage);

}  // namespace stepcast
