// Everything that keeps a plan from running on a model, a batch and a number of GPUs. Each check
// adds what it finds and stays quiet where an earlier fault makes its question meaningless.
#include <fmt/format.h>

#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/contract.h"
#include "models/pipeline_schedule.h"
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

// Megatron deals layers, embedding and loss in exactly equal numbers where it counts those.
void check_counted_tables(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  if (!plan.embedding_counts_as_layer && !plan.loss_counts_as_layer) return;
  const std::string key = plan.embedding_counts_as_layer ? "account_for_embedding_in_pipeline_split"
                                                         : "account_for_loss_in_pipeline_split";
  if (!plan.layers_per_stage.empty() || job.framework == Framework::Nanotron) {
    const std::string why = plan.layers_per_stage.empty() ? "nanotron deals layers by cost"
                                                          : "layers_per_stage says the split";
    found.push_back({"/plan/" + key, key + " has no effect: " + why, "leave it out", {}});
    return;
  }
  const int counted =
      job.model.num_layers + plan.embedding_counts_as_layer + plan.loss_counts_as_layer;
  const int chunks = plan.pipeline_parallel * plan.virtual_pipeline;
  if (counted % chunks == 0) return;
  found.push_back({"/plan/" + key,
                   text(counted) + " layers, tables counted, do not divide by " + text(chunks) +
                       " model chunks",
                   "layers_per_stage can say any split",
                   {}});
}

void check_layers(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  check_counted_tables(job, found);
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

void check_split_backward(const ParallelPlan& plan, Violations& found) {
  const std::string schedule(word(*plan.schedule));
  if (plan.pipeline_parallel == 1) {
    found.push_back({"/plan/schedule",
                     schedule + " needs pipeline_parallel above 1",
                     "leave schedule out",
                     {}});
  }
  if (plan.offload.any()) {
    found.push_back({"/plan/offload",
                     "offload is not modelled with schedule " + schedule,
                     "1f1b and interleaved_1f1b go with it",
                     {}});
  }
}

void check_zero_bubble_v(const ParallelPlan& plan, Violations& found) {
  if (plan.virtual_pipeline == 2) return;
  found.push_back({"/plan/virtual_pipeline",
                   "zb_v has two model chunks a stage, the plan " +
                       degree("virtual_pipeline", plan.virtual_pipeline),
                   "leave virtual_pipeline out",
                   {}});
}

void check_dual_pipe(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  if (plan.pipeline_parallel % 2 != 0) {
    found.push_back(
        {"/plan/pipeline_parallel",
         "dual_pipe needs an even pipeline_parallel, the plan has " + text(plan.pipeline_parallel),
         {},
         {}});
  }
  for (const auto& [key, chosen] :
       {std::pair{"overlap_gradient_reduce", plan.overlap_gradient_reduce},
        std::pair{"overlap_parameter_gather", plan.overlap_parameter_gather}}) {
    if (!chosen.value_or(false)) continue;
    found.push_back({std::string("/plan/") + key,
                     std::string(key) + " does not go with dual_pipe",
                     std::string("leave ") + key + " out",
                     {"two stages hold each weight and reduce once both are done"}});
  }
  if (plan.data_parallel == 0) return;
  const int micro_batches = num_micro_batches(job);
  if (micro_batches % 2 == 0 && micro_batches >= 2 * plan.pipeline_parallel) return;
  found.push_back({"/batch/global_batch",
                   "dual_pipe needs an even number of micro-batches, at least two a stage",
                   text(2 * plan.pipeline_parallel) + " micro-batches would do",
                   {degree("micro-batches", micro_batches) + ", " +
                    degree("pipeline_parallel", plan.pipeline_parallel)}});
}

void check_schedule(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  const Schedule schedule = *plan.schedule;
  if (splits_backward(schedule)) check_split_backward(plan, found);
  if (schedule == Schedule::DualPipe) check_dual_pipe(job, found);
  if (schedule == Schedule::Interleaved) {
    check_interleaving(job, found);
  } else if (schedule == Schedule::ZeroBubbleV) {
    check_zero_bubble_v(plan, found);
  } else if (plan.virtual_pipeline > 1) {
    found.push_back({"/plan/virtual_pipeline",
                     degree("virtual_pipeline", plan.virtual_pipeline) +
                         " needs schedule interleaved_1f1b, the plan has " +
                         std::string(word(schedule)),
                     {},
                     {}});
  }
}

void check_expert_degrees(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  const ExpertLayers& experts = job.model.experts;
  const int matrices = plan.expert_tensor_parallel;
  const std::string sharing = degree("expert_parallel", plan.expert_parallel) + " x " +
                              degree("expert_tensor_parallel", matrices);
  const int ranks = plan.tensor_parallel * plan.context_parallel * plan.data_parallel;
  if (ranks % (plan.expert_parallel * matrices) != 0) {
    found.push_back({"/plan/expert_parallel",
                     "a stage's " + text(ranks) + " ranks do not divide by " + sharing,
                     {},
                     {"a stage has tensor_parallel x context_parallel x data_parallel ranks"}});
  }
  if (experts.num_experts % plan.expert_parallel != 0) {
    const int usable = std::gcd(experts.num_experts, plan.expert_parallel);
    found.push_back({"/plan/expert_parallel",
                     degree("num_experts", experts.num_experts) + " does not divide by " +
                         degree("expert_parallel", plan.expert_parallel),
                     degree("expert_parallel", usable) + " divides it",
                     {}});
  }
  if (experts.ffn_hidden_size % matrices != 0) {
    found.push_back({"/plan/expert_tensor_parallel",
                     degree("expert_ffn_hidden_size", experts.ffn_hidden_size) +
                         " does not divide by " + degree("expert_tensor_parallel", matrices),
                     {},
                     {}});
  }
  if (matrices != 1 && matrices != plan.tensor_parallel) {
    found.push_back({"/plan/expert_tensor_parallel",
                     degree("expert_tensor_parallel", matrices) + " is neither 1 nor " +
                         degree("tensor_parallel", plan.tensor_parallel),
                     {},
                     {"tokens of other tensor ranks would have to be gathered in part"}});
  }
}

void check_experts(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  if (!job.model.experts.used()) {
    if (plan.expert_parallel == 1) return;
    found.push_back(
        {"/plan/expert_parallel",
         degree("expert_parallel", plan.expert_parallel) + " for a model without experts",
         "leave expert_parallel out",
         {}});
    return;
  }
  check_expert_degrees(job, found);
  if (plan.tensor_parallel > 1 && !plan.sequence_parallel) {
    found.push_back({"/plan/sequence_parallel",
                     "experts with " + degree("tensor_parallel", plan.tensor_parallel) +
                         " need sequence_parallel",
                     "sequence_parallel true",
                     {"every tensor rank would send all tokens to the experts"}});
  }
  if (plan.zero_stage >= 2) {
    found.push_back({"/plan/zero_stage",
                     degree("zero_stage", plan.zero_stage) + " is not modelled for experts",
                     "zero_stage 1 is",
                     {}});
  }
  if (plan.offload.any()) {
    found.push_back({"/plan/offload", "offload is not modelled for experts", "leave it out", {}});
  }
  const ExpertLayers& experts = job.model.experts;
  const double most = static_cast<double>(experts.num_experts) / experts.experts_per_token;
  if (plan.expert_load_imbalance > most) {
    found.push_back(
        {"/plan/expert_load_imbalance",
         fmt::format("expert_load_imbalance {:g} is more than a token's {} of {} "
                     "experts allow",
                     plan.expert_load_imbalance, experts.experts_per_token, experts.num_experts),
         fmt::format("at most {:g}: every token on the same experts", most),
         {}});
  }
  if (plan.expert_capacity && plan.expert_load_imbalance > 1) {
    found.push_back({"/plan/expert_load_imbalance",
                     "expert_load_imbalance has no effect beside expert_capacity",
                     "experts of a stated capacity all work on as many rows",
                     {}});
  }
}

// Ulysses gives every rank some of the heads.
void check_context_algorithm(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  if (plan.context_parallel == 1) return;
  if (plan.context_parallel_algorithm != ContextAlgorithm::AllToAll) return;
  const Transformer& model = job.model;
  const int groups =
      model.latent_attention.used() ? model.num_attention_heads : model.num_query_groups;
  if (groups % (plan.context_parallel * plan.tensor_parallel) == 0) return;
  found.push_back({"/plan/context_parallel_algorithm",
                   "all_to_all needs query groups for every rank, " + text(groups) +
                       " do not divide by " + degree("context_parallel", plan.context_parallel) +
                       " x " + degree("tensor_parallel", plan.tensor_parallel),
                   "ring and all_gather need none",
                   {}});
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

void check_compression(const ParallelPlan& plan, Violations& found) {
  const auto& method = plan.gradient_compression;
  if (!method) return;
  const bool whole =
      method == GradientCompression::OneBitAdam || method == GradientCompression::PowerSgd;
  if (!whole || plan.zero_stage == 0) return;
  found.push_back({"/plan/gradient_compression",
                   "this gradient_compression needs whole gradients, zero_stage " +
                       text(plan.zero_stage) + " scatters them",
                   "fp16 and int8 go with every zero_stage",
                   {}});
}

// What is counted by the four matrices of a dense layer.
void check_dense_only(const TrainingJob& job, Violations& found) {
  if (!job.model.experts.used() && !job.model.latent_attention.used()) return;
  const auto refuse = [&](bool asked, const char* key, const std::string& what) {
    if (!asked) return;
    found.push_back(
        {key, what + " is modelled for dense layers without latent attention", "leave it out", {}});
  };
  refuse(job.fine_tuning.has_value(), "/fine_tuning", "fine_tuning");
  refuse(job.optimizer == Optimizer::Muon || job.optimizer == Optimizer::Adafactor, "/optimizer",
         "this optimizer");
  refuse(job.plan.gradient_compression.has_value(), "/plan/gradient_compression",
         "gradient_compression");
  refuse(job.plan.recompute_method.has_value(), "/plan/recompute_method", "recompute_method");
  refuse(job.plan.offload.any() && job.model.experts.used(), "/plan/offload", "offload");
}

bool uses_adam(const TrainingJob& job) {
  return job.optimizer == Optimizer::Adam || job.optimizer == Optimizer::AdamW;
}

// One-bit Adam compresses Adam's momentum; 8 bits of state need the scales of their blocks.
void check_optimizer(const TrainingJob& job, Violations& found) {
  if (job.plan.gradient_compression == GradientCompression::OneBitAdam && !uses_adam(job)) {
    found.push_back({"/plan/gradient_compression",
                     "one_bit_adam goes with adam and adamw only",
                     "int8 goes with every optimizer",
                     {}});
  }
  if (job.optimizer_state_precision == Precision::Fp8) {
    found.push_back({"/optimizer_state_precision",
                     "optimizer state in fp8 is not modelled",
                     "\"optimizer\": \"adam_8bit\" keeps a byte a moment",
                     {}});
  }
  if (job.gradient_precision == Precision::Fp8) {
    found.push_back({"/gradient_precision",
                     "gradients kept in fp8 are not modelled",
                     "bf16 is; gradient_compression int8 sends a byte each",
                     {}});
  }
}

void check_techniques(const TrainingJob& job, Violations& found) {
  check_optimizer(job, found);
  check_dense_only(job, found);
  const Schedule schedule = job.plan.schedule.value_or(Schedule::OneForwardOneBackward);
  const bool whole_backward = schedule == Schedule::GPipe || schedule == Schedule::Interleaved ||
                              schedule == Schedule::OneForwardOneBackward;
  if (job.plan.offload.activations && !whole_backward) {
    found.push_back({"/plan/offload",
                     "offload of activations needs whole backward passes, schedule " +
                         std::string(word(schedule)) + " splits them",
                     "1f1b does not",
                     {}});
  }
  check_compression(job.plan, found);
  if (job.plan.recompute_method && job.plan.recompute != Recompute::Full) {
    found.push_back({"/plan/recompute_method",
                     "recompute_method needs recompute full, the plan has " +
                         std::string(word(job.plan.recompute)),
                     {},
                     {}});
  }
  if (job.plan.offload.optimizer && !uses_adam(job)) {
    found.push_back({"/plan/offload",
                     "the host's cores run Adam only, the scenario has another optimizer",
                     "offload of the optimizer goes with adam and adamw",
                     {}});
  }
  if (job.plan.offload.activations && job.plan.recompute_method) {
    found.push_back({"/plan/offload",
                     "offload of activations goes layer by layer, without recompute_method",
                     "leave recompute_method out",
                     {}});
  }
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
  check_techniques(job, found);
  check_context_algorithm(job, found);
  if (job.plan.data_parallel > 0) check_experts(job, found);
  return found;
}

}  // namespace stepcast
