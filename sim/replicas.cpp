#include "sim/replicas.h"

namespace stepcast {
namespace {

bool stages_in_a_row(const ParallelPlan& plan) {
  const std::optional<RankOrder> order = parse_rank_order(plan.rank_order);
  return order && (*order)[kNumAxes - 1] == Axis::Pipeline && (*order)[kNumAxes - 2] == Axis::Data;
}

// Its uplinks can never be the tightest links.
bool leaves_never_block(const FabricSpec& fabric) {
  return fabric.layout == FabricLayout::SingleSwitch || fabric.oversubscription <= 1.0;
}

}  // namespace

PlacedReplicas fewest_replicas(const ParallelPlan& plan, const ClusterSpec& cluster) {
  PlacedReplicas placed{plan, cluster, 1};
  if (!cluster.faults.empty() || !leaves_never_block(cluster.fabric)) return placed;
  if (!stages_in_a_row(plan) || plan.shard_group > 0) return placed;
  const int gpus = cluster.gpus_per_node > 0 ? cluster.gpus_per_node : cluster.node.gpus;
  const int replica = plan.tensor_parallel * plan.context_parallel * plan.expert_parallel;
  for (int few = 2; few < plan.data_parallel; ++few) {
    const int ranks = few * replica;
    if (plan.data_parallel % few != 0 || ranks % gpus != 0 || ranks < 2 * gpus) continue;
    placed.copies = plan.data_parallel / few;
    placed.plan.data_parallel = few;
    placed.cluster.nodes = cluster.nodes / placed.copies;
    placed.cluster.fabric.layout = FabricLayout::SingleSwitch;
    return placed;
  }
  return placed;
}

}  // namespace stepcast
