#include "models/stalls.h"

#include <algorithm>
#include <cmath>

#include "models/pipeline_schedule.h"

namespace stepcast {
namespace {

int nodes_for(int ranks, const ClusterSpec& cluster) {
  const int on_one = cluster.gpus_per_node > 0 ? cluster.gpus_per_node : cluster.node.gpus;
  return std::max(1, (ranks + on_one - 1) / on_one);
}

int num_ranks(const ParallelPlan& plan) {
  return plan.tensor_parallel * plan.context_parallel * plan.data_parallel * plan.pipeline_parallel;
}

double chance_of(const ParallelPlan& plan, const StallTrait& trait, const ClusterSpec& cluster) {
  if (nodes_for(plan.tensor_parallel, cluster) >= trait.certain_tensor_nodes) return 1;
  const double nodes = nodes_for(num_ranks(plan), cluster);
  return 1 - (1 - trait.base_chance.value) * std::exp(-std::pow(nodes / trait.nodes.value, 3));
}

}  // namespace

int waited_messages(const TrainingJob& job) {
  const int copies = model_copies(job.plan);
  const int stages = job.plan.pipeline_parallel;
  const int at_the_ends = stages == 2 ? 2 : 0;
  const int of_a_stage = 4 * model_chunks(job.plan) / copies - at_the_ends;
  const int hops = stages / copies - 1;
  return num_micro_batches(job) * of_a_stage - (4 - at_the_ends) + 2 * hops;
}

StallRisk stall_risk(const TrainingJob& job, const StallTrait& trait, const ClusterSpec& cluster) {
  const bool may_stall = trait.message_time.value > Seconds() && job.plan.pipeline_parallel > 1 &&
                         cluster.fabric.transport == Transport::Efa &&
                         nodes_for(num_ranks(job.plan), cluster) > 1;
  if (!may_stall) return {};
  return {chance_of(job.plan, trait, cluster), trait.message_time.value, waited_messages(job)};
}

}  // namespace stepcast
