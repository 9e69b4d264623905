// A few data-parallel replicas stand for all: what folding would find, known before anything is
// built, so that a prediction's cost does not grow with the number of replicas.
#pragma once

#include "models/training_job.h"
#include "topology/cluster.h"

namespace stepcast {

/// The part of a job that is placed and folded: each of its data-parallel ranks stands for
/// `copies`.
struct PlacedReplicas {
  ParallelPlan plan;
  ClusterSpec cluster;
  int copies = 1;
};

/// The fewest replicas, two at least, that every other one is like, on as many nodes. All, unless
///
///   nothing is faulty, and the network between leaves is as wide as the NICs together;
///   stages follow each other in rank order, replicas inside them, and ZeRO shards over all;
///   the placed part of a stage fills whole nodes, two at least, so that rings cross the network.
///
/// Then ranks a number of replicas apart have the same place in their node, neighbours at the same
/// distance and rings that cross each of their links as often: the quotient is the same
/// (docs/decisions/0007). Requires a completed plan that uses every GPU of the cluster.
PlacedReplicas fewest_replicas(const ParallelPlan& plan, const ClusterSpec& cluster);

}  // namespace stepcast
