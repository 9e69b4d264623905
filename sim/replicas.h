// A few data-parallel replicas stand for all: what folding would find, known before anything is
// built, so that a prediction's cost does not grow with the number of replicas.
#pragma once

#include <vector>

#include "models/training_job.h"
#include "topology/cluster.h"

namespace stepcast {

/// The part of a job that is placed and folded.
struct PlacedReplicas {
  ParallelPlan plan;
  ClusterSpec cluster;
  std::vector<PlacedReplica> replicas;  ///< empty: all of them are placed
};

/// The replicas that a fault touches and the fewest others that all the rest are like, on as many
/// nodes. All of them, unless
///
///   the network between leaves is as wide as the NICs together, and no fault is in it;
///   stages follow each other in rank order, replicas inside them, and ZeRO shards over all;
///   gradients are sent uncompressed, and of one stage at a time (no DualPipe);
///   some replicas together fill whole nodes of every stage.
///
/// Then ranks a number of replicas apart have the same place in their node, neighbours at the same
/// distance and rings that cross each of their links as often: the quotient is the same
/// (docs/decisions/0007). Requires a completed plan that uses every GPU of the cluster.
PlacedReplicas fewest_replicas(const ParallelPlan& plan, const ClusterSpec& cluster);

}  // namespace stepcast
