#include "models/expert_traffic.h"

#include <algorithm>
#include <cmath>

namespace stepcast {
namespace {

// A 32-bit scale for every 128 elements of 8 bits.
constexpr double kFp8BytesWithScale = 1.0 + 4.0 / 128;

// Rows of a rank over the mean: padded to the capacity, or as the busiest rank has them.
double row_factor(const ParallelPlan& plan) {
  return plan.expert_capacity.value_or(plan.expert_load_imbalance);
}

double copies_of_a_token(const TrainingJob& job, const GroupLayout& expert_group) {
  const ExpertLayers& experts = job.model.experts;
  const double chosen = experts.experts_per_token;
  if (job.plan.expert_dispatch == ExpertDispatch::AllToAll || expert_group.nodes == 1)
    return chosen;
  double nodes = expert_group.nodes;
  if (experts.groups > 1) {
    nodes = std::max(1.0, nodes * experts.groups_per_token / experts.groups);
  }
  return nodes * (1.0 - std::pow(1.0 - 1.0 / nodes, chosen));
}

Bytes exchanged(const TrainingJob& job, const GroupLayout& expert_group, double element_bytes) {
  return Bytes(routed_tokens(job) * copies_of_a_token(job, expert_group) * row_factor(job.plan) *
               job.model.hidden_size * element_bytes);
}

}  // namespace

double routed_tokens(const TrainingJob& job) {
  const int shares = job.plan.sequence_parallel ? job.plan.tensor_parallel : 1;
  return static_cast<double>(tokens_per_micro_batch(job)) / shares;
}

double expert_rows(const TrainingJob& job) {
  return routed_tokens(job) * job.model.experts.experts_per_token *
         job.plan.expert_tensor_parallel * row_factor(job.plan);
}

double rows_of_one_expert(const TrainingJob& job) {
  return expert_rows(job) * job.plan.expert_parallel / job.model.experts.num_experts;
}

Bytes dispatch_bytes(const TrainingJob& job, const GroupLayout& expert_group) {
  const bool in_8_bits =
      job.precision == Precision::Fp8 && job.plan.expert_dispatch == ExpertDispatch::OncePerNode;
  return exchanged(job, expert_group,
                   in_8_bits ? kFp8BytesWithScale : bytes_per_element(job.precision));
}

Bytes combine_bytes(const TrainingJob& job, const GroupLayout& expert_group) {
  return exchanged(job, expert_group, bytes_per_element(job.precision));
}

Bytes expert_tensor_bytes(const TrainingJob& job) {
  return Bytes(expert_rows(job) * job.model.hidden_size * bytes_per_element(job.precision));
}

}  // namespace stepcast
