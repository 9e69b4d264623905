// Everything that keeps a plan from running on a model, a batch and a number of GPUs. Each check
// adds what it finds and stays quiet where an earlier fault makes its question meaningless. Checks
// of schedules, experts, sharding and techniques have files of their own.
#include <numeric>
#include <string>
#include <vector>

#include "base/contract.h"
#include "models/violation_checks.h"

namespace stepcast {

std::string degree(const char* name, std::int64_t value) {
  return std::string(name) + " " + std::to_string(value);
}

std::string near_multiples(std::int64_t value, std::int64_t divisor, const std::string& prefix,
                           const std::string& suffix) {
  const std::int64_t below = value / divisor * divisor;
  const std::string above = std::to_string(below + divisor);
  const std::string numbers = below > 0 ? std::to_string(below) + " or " + above : above;
  return prefix + numbers + suffix + " would do";
}

Violation without_effect(const char* key, const std::string& why) {
  const std::string name = std::string(key).substr(std::string(key).rfind('/') + 1);
  return {key, name + " has no effect: " + why, "leave it out", {}};
}

namespace {

/// The ranks of one replica, spelt out: "tensor_parallel 8 x pipeline_parallel 4".
std::string replica_text(const ParallelPlan& plan) {
  std::string product = degree("tensor_parallel", plan.tensor_parallel);
  if (plan.context_parallel > 1) {
    product += " x " + degree("context_parallel", plan.context_parallel);
  }
  return product + " x " + degree("pipeline_parallel", plan.pipeline_parallel);
}

/// Tensor degrees next to the plan's with which its replicas fill the cluster and its heads divide:
/// "tensor_parallel 2 or 4 would do"; empty where none does.
std::string other_tensor_degree(const TrainingJob& job, int num_gpus) {
  const ParallelPlan& plan = job.plan;
  const std::int64_t others = std::int64_t{plan.context_parallel} * plan.pipeline_parallel;
  const auto fits = [&](int tensor) {
    const std::int64_t replica = others * tensor;
    const bool fills =
        plan.data_parallel > 0 ? replica * plan.data_parallel == num_gpus : num_gpus % replica == 0;
    return fills && job.model.num_attention_heads % tensor == 0;
  };
  std::string degrees;
  for (int tensor = plan.tensor_parallel - 1; tensor > 0 && degrees.empty(); --tensor) {
    if (fits(tensor)) degrees = std::to_string(tensor);
  }
  for (int tensor = plan.tensor_parallel + 1; tensor <= 2 * plan.tensor_parallel; ++tensor) {
    if (!fits(tensor)) continue;
    degrees += (degrees.empty() ? "" : " or ") + std::to_string(tensor);
    break;
  }
  return degrees.empty() ? degrees : "tensor_parallel " + degrees + " would do";
}

void check_gpus(const TrainingJob& job, int num_gpus, Violations& found) {
  const ParallelPlan& plan = job.plan;
  const std::int64_t replica =
      std::int64_t{plan.tensor_parallel} * plan.context_parallel * plan.pipeline_parallel;
  const std::string cluster = "the cluster has " + std::to_string(num_gpus);
  // Other clusters are no way out where no head is left whole.
  const bool heads_divide = job.model.num_attention_heads % plan.tensor_parallel == 0;
  const std::string other_degree = heads_divide ? "" : other_tensor_degree(job, num_gpus);
  const std::string other_cluster =
      other_degree.empty() ? near_multiples(num_gpus, replica, "", " GPUs") : other_degree;
  if (plan.data_parallel == 0) {
    found.push_back(
        {"/plan",
         "the plan needs a multiple of " + std::to_string(replica) + " GPUs, " + cluster,
         other_cluster,
         {replica_text(plan) + " = " + std::to_string(replica)}});
    return;
  }
  const std::int64_t ranks = replica * plan.data_parallel;
  if (ranks == num_gpus) return;
  const std::string hint = num_gpus % replica == 0
                               ? degree("data_parallel", num_gpus / replica) + " uses them all"
                               : other_cluster;
  found.push_back({"/plan",
                   "the plan uses " + std::to_string(ranks) + " GPUs, " + cluster,
                   hint,
                   {replica_text(plan) + " x " + degree("data_parallel", plan.data_parallel) +
                    " = " + std::to_string(ranks)}});
}

void check_divides_by_tensor(const ParallelPlan& plan, const char* what, std::int64_t size,
                             Violations& found) {
  if (size % plan.tensor_parallel == 0) return;
  const int usable = static_cast<int>(std::gcd(size, std::int64_t{plan.tensor_parallel}));
  found.push_back({"/plan/tensor_parallel",
                   degree(what, size) + " does not divide by " +
                       degree("tensor_parallel", plan.tensor_parallel),
                   degree("tensor_parallel", usable) + " divides it",
                   {}});
}

void check_tensor_parallel(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  const int groups = job.model.num_query_groups;
  check_divides_by_tensor(plan, "num_attention_heads", job.model.num_attention_heads, found);
  // Fewer groups than ranks: each is kept by several ranks.
  if (plan.tensor_parallel % groups != 0) {
    check_divides_by_tensor(plan, "num_query_groups", groups, found);
  }
  check_divides_by_tensor(plan, "ffn_hidden_size", job.model.ffn_hidden_size, found);
  // A framework's own padding always divides; only a stated one may not.
  if (job.vocab_padding) {
    check_divides_by_tensor(plan, "padded vocabulary", padded_vocab(job, {}), found);
  }
}

void check_batch(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  if (plan.data_parallel == 0) return;
  const std::int64_t slot = std::int64_t{job.batch.micro_batch} * plan.data_parallel;
  if (job.batch.global_batch % slot == 0) return;
  found.push_back({"/batch/global_batch",
                   degree("global_batch", job.batch.global_batch) + " does not divide by " +
                       degree("micro_batch", job.batch.micro_batch) + " x " +
                       degree("data_parallel", plan.data_parallel),
                   near_multiples(job.batch.global_batch, slot, "global_batch "),
                   {degree("micro_batch", job.batch.micro_batch) + " x " +
                    degree("data_parallel", plan.data_parallel) + " = " + std::to_string(slot)}});
}

void check_sequence(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  const int tensor_share = plan.sequence_parallel ? plan.tensor_parallel : 1;
  const std::int64_t shares = std::int64_t{plan.context_parallel} * tensor_share;
  if (job.batch.sequence_length % shares == 0) return;
  std::string divisor;
  if (plan.context_parallel > 1) divisor = degree("context_parallel", plan.context_parallel);
  if (tensor_share > 1) {
    divisor += (divisor.empty() ? "" : " x ") + degree("tensor_parallel", tensor_share) +
               " of sequence_parallel";
  }
  found.push_back(
      {"/batch/sequence_length",
       degree("sequence_length", job.batch.sequence_length) + " does not divide by " + divisor,
       near_multiples(job.batch.sequence_length, shares, "sequence_length "),
       {}});
}

// Ulysses gives every rank some of the heads.
void check_context_algorithm(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  if (plan.context_parallel == 1) {
    if (plan.context_parallel_algorithm) {
      found.push_back(without_effect("/plan/context_parallel_algorithm",
                                     "every rank has whole sequences at context_parallel 1"));
    }
    return;
  }
  if (plan.context_parallel_algorithm != ContextAlgorithm::AllToAll) return;
  const Transformer& model = job.model;
  const int groups =
      model.latent_attention.used() ? model.num_attention_heads : model.num_query_groups;
  if (groups % (plan.context_parallel * plan.tensor_parallel) == 0) return;
  found.push_back({"/plan/context_parallel_algorithm",
                   "all_to_all needs query groups for every rank, " + std::to_string(groups) +
                       " do not divide by " + degree("context_parallel", plan.context_parallel) +
                       " x " + degree("tensor_parallel", plan.tensor_parallel),
                   "ring and all_gather need none",
                   {}});
}

}  // namespace

std::vector<Violation> violations(const TrainingJob& job, int num_gpus) {
  STEPCAST_REQUIRES(num_gpus >= 1 && job.plan.schedule.has_value());
  Violations found;
  check_gpus(job, num_gpus, found);
  check_tensor_parallel(job, found);
  check_batch(job, found);
  check_sequence(job, found);
  check_layers(job, found);
  check_schedule(job, found);
  check_sharding(job, found);
  check_recompute(job, found);
  check_techniques(job, found);
  check_context_algorithm(job, found);
  if (job.plan.data_parallel > 0) check_experts(job, found);
  return found;
}

}  // namespace stepcast
