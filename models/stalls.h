// Runs that stand still: a trait of a framework on a fabric, seen in published runs, cause unknown.
#pragma once

#include "models/profile.h"
#include "models/training_job.h"
#include "topology/cluster.h"

namespace stepcast {

/// How likely a run stalls, and what a stalled one takes longer.
struct StallRisk {
  double chance = 0;
  Seconds message_time;  ///< for which each pipeline message holds its sender and its receiver
  int messages = 0;      ///< that a stalled step waits for, one after the other

  Seconds time() const { return messages * message_time; }
  /// Whether the predicted step is that of a stalled run.
  bool expected() const { return chance > 0.5; }
};

/// Messages of a pipeline of p stages that a stalled step waits for, one after the other:
///
///   m (4 v - 2 [p = 2]) - (4 - 2 [p = 2]) + 2 (p - 1)
///
/// for m micro-batches and v model chunks a stage: a stage between two others sends and receives
/// four for each micro-batch and chunk, at the ends of two stages each has one neighbour; instead
/// of one micro-batch's, filling and draining pass every hop (DualPipe, from both ends: half).
int waited_messages(const TrainingJob& job);

/// Of a pipeline over several nodes of an EFA fabric, with the chance
///
///   1 - (1 - base) exp(-(nodes / n0)^3)
///
/// or 1 where a tensor group lies on the trait's number of nodes or more; nothing elsewhere.
StallRisk stall_risk(const TrainingJob& job, const StallTrait& trait, const ClusterSpec& cluster);

}  // namespace stepcast
