// Everything that keeps a plan from running on a model, a batch and a number of GPUs. Each check
// adds what it finds and stays quiet where an earlier fault makes its question meaningless.
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "base/contract.h"
#include "models/training_job.h"

namespace stepcast {
namespace {

using Violations = std::vector<Violation>;

std::string text(std::int64_t number) { return std::to_string(number); }

/// "tensor_parallel 8": how degrees appear in every message.
std::string degree(const char* name, std::int64_t value) {
  return std::string(name) + " " + text(value);
}

/// "96 or 128 GPUs would do": the multiples on either side of a number that is none itself.
std::string near_multiples(std::int64_t value, std::int64_t divisor, const std::string& prefix,
                           const std::string& suffix = {}) {
  const std::int64_t below = value / divisor * divisor;
  const std::string above = text(below + divisor);
  const std::string numbers = below > 0 ? text(below) + " or " + above : above;
  return prefix + numbers + suffix + " would do";
}

/// The ranks of one replica, spelt out: "tensor_parallel 8 x pipeline_parallel 4".
std::string replica_text(const ParallelPlan& plan) {
  std::string product = degree("tensor_parallel", plan.tensor_parallel);
  if (plan.context_parallel > 1) {
    product += " x " + degree("context_parallel", plan.context_parallel);
  }
  return product + " x " + degree("pipeline_parallel", plan.pipeline_parallel);
}

void check_gpus(const ParallelPlan& plan, int num_gpus, Violations& found) {
  const std::int64_t replica =
      std::int64_t{plan.tensor_parallel} * plan.context_parallel * plan.pipeline_parallel;
  const std::string cluster = "the cluster has " + text(num_gpus);
  const std::string other_cluster = near_multiples(num_gpus, replica, "", " GPUs");
  if (plan.data_parallel == 0) {
    found.push_back({"/plan",
                     "the plan needs a multiple of " + text(replica) + " GPUs, " + cluster,
                     other_cluster,
                     {replica_text(plan) + " = " + text(replica)}});
    return;
  }
  const std::int64_t ranks = replica * plan.data_parallel;
  if (ranks == num_gpus) return;
  const std::string hint = num_gpus % replica == 0
                               ? degree("data_parallel", num_gpus / replica) + " uses them all"
                               : other_cluster;
  found.push_back({"/plan",
                   "the plan uses " + text(ranks) + " GPUs, " + cluster,
                   hint,
                   {replica_text(plan) + " x " + degree("data_parallel", plan.data_parallel) +
                    " = " + text(ranks)}});
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
                    degree("data_parallel", plan.data_parallel) + " = " + text(slot)}});
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

void check_stated_layers(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  const std::vector<int>& stated = plan.layers_per_stage;
  const std::string key = "/plan/layers_per_stage";
  if (std::ssize(stated) != plan.pipeline_parallel) {
    found.push_back({key,
                     "layers_per_stage has " + text(std::ssize(stated)) + " entries for " +
                         degree("pipeline_parallel", plan.pipeline_parallel),
                     "one entry a stage",
                     {}});
    return;
  }
  const std::int64_t sum = std::accumulate(stated.begin(), stated.end(), std::int64_t{0});
  if (sum != job.model.num_layers) {
    found.push_back({key,
                     "layers_per_stage adds up to " + text(sum) + " layers, the model has " +
                         text(job.model.num_layers),
                     {},
                     {}});
  }
  for (const int layers : stated) {
    if (layers % plan.virtual_pipeline == 0) continue;
    found.push_back({key,
                     "a stage of " + text(layers) + " layers does not divide by " +
                         degree("virtual_pipeline", plan.virtual_pipeline),
                     {},
                     {}});
    return;
  }
}

void check_layers(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  if (!plan.layers_per_stage.empty()) {
    check_stated_layers(job, found);
    return;
  }
  // nanotron deals blocks by cost and runs with empty stages.
  if (job.framework == Framework::Nanotron) return;
  const std::int64_t chunks = std::int64_t{plan.pipeline_parallel} * plan.virtual_pipeline;
  if (job.model.num_layers >= chunks) return;
  std::string stages = degree("pipeline_parallel", plan.pipeline_parallel);
  if (plan.virtual_pipeline > 1) {
    stages += " x " + degree("virtual_pipeline", plan.virtual_pipeline);
  }
  found.push_back({"/plan/pipeline_parallel",
                   degree("num_layers", job.model.num_layers) + " is too few for " + stages,
                   "every stage needs a layer",
                   {}});
}

void check_interleaving(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  if (plan.virtual_pipeline == 1) {
    found.push_back({"/plan/schedule",
                     "interleaved_1f1b needs virtual_pipeline above 1",
                     "schedule 1f1b runs one chunk a stage",
                     {}});
  }
  if (plan.pipeline_parallel == 1) {
    found.push_back({"/plan/virtual_pipeline",
                     "interleaved_1f1b needs pipeline_parallel above 1",
                     "leave virtual_pipeline out",
                     {}});
  }
  if (plan.data_parallel == 0) return;
  const int micro_batches = num_micro_batches(job);
  if (micro_batches % plan.pipeline_parallel == 0) return;
  found.push_back({"/batch/global_batch",
                   "interleaved_1f1b needs a multiple of pipeline_parallel micro-batches",
                   near_multiples(micro_batches, plan.pipeline_parallel, "", " micro-batches"),
                   {degree("micro-batches", micro_batches) + ", " +
                    degree("pipeline_parallel", plan.pipeline_parallel)}});
}

void check_schedule(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  const Schedule schedule = plan.schedule.value_or(Schedule::OneForwardOneBackward);
  if (schedule == Schedule::Interleaved) {
    check_interleaving(job, found);
  } else if (plan.virtual_pipeline > 1) {
    found.push_back({"/plan/virtual_pipeline",
                     degree("virtual_pipeline", plan.virtual_pipeline) +
                         " needs schedule interleaved_1f1b, the plan has " +
                         std::string(word(schedule)),
                     {},
                     {}});
  }
}

void check_zero(const ParallelPlan& plan, Violations& found) {
  if (plan.zero_stage >= 2 && plan.pipeline_parallel > 1) {
    found.push_back({"/plan/zero_stage",
                     degree("zero_stage", plan.zero_stage) + " does not go with " +
                         degree("pipeline_parallel", plan.pipeline_parallel),
                     "zero_stage 1 does",
                     {"a pipeline would gather and reduce again for every micro-batch"}});
  }
  if (plan.shard_group == 0) return;
  if (plan.zero_stage != 3) {
    found.push_back({"/plan/shard_group",
                     "shard_group needs zero_stage 3, the plan has " + text(plan.zero_stage),
                     {},
                     {}});
  }
  if (plan.data_parallel % plan.shard_group != 0) {
    found.push_back({"/plan/shard_group",
                     degree("data_parallel", plan.data_parallel) + " does not divide by " +
                         degree("shard_group", plan.shard_group),
                     {},
                     {}});
  }
}

void need_zero_3(const ParallelPlan& plan, const char* key, const std::string& what,
                 Violations& found) {
  if (plan.zero_stage == 3) return;
  found.push_back({std::string("/plan/") + key,
                   what + " needs zero_stage 3, the plan has " + text(plan.zero_stage),
                   "leave it out, or state zero_stage 3",
                   {}});
}

void check_sharding_traffic(const ParallelPlan& plan, Violations& found) {
  if (plan.sharding.prefetch_units) need_zero_3(plan, "prefetch_units", "prefetch_units", found);
  if (plan.sharding.gather_limit) need_zero_3(plan, "gather_limit", "gather_limit", found);
  if (!plan.sharding.reshard_after_forward) {
    need_zero_3(plan, "reshard_after_forward", "reshard_after_forward false", found);
  }
  if (plan.offload.parameters) need_zero_3(plan, "offload", "offload of parameters", found);
}

}  // namespace

std::vector<Violation> violations(const TrainingJob& job, int num_gpus) {
  STEPCAST_REQUIRES(num_gpus >= 1 && job.plan.schedule.has_value());
  Violations found;
  check_gpus(job.plan, num_gpus, found);
  check_tensor_parallel(job, found);
  check_batch(job, found);
  check_sequence(job, found);
  check_layers(job, found);
  check_schedule(job, found);
  check_zero(job.plan, found);
  check_sharding_traffic(job.plan, found);
  return found;
}

}  // namespace stepcast
