// What sharding, recompute, compression, offload and other techniques do not go with.
#include <string>
#include <utility>

#include "models/violation_checks.h"

namespace stepcast {
namespace {

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
    found.push_back(
        {"/plan/shard_group",
         "shard_group needs zero_stage 3, the plan has " + std::to_string(plan.zero_stage),
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
                   what + " needs zero_stage 3, the plan has " + std::to_string(plan.zero_stage),
                   "leave it out, or state zero_stage 3",
                   {}});
}

void check_sharding_traffic(const ParallelPlan& plan, Violations& found) {
  if (plan.sharding.prefetch_units) need_zero_3(plan, "prefetch_units", "prefetch_units", found);
  if (plan.sharding.gather_limit) need_zero_3(plan, "gather_limit", "gather_limit", found);
  if (plan.sharding.quantized_gather) {
    need_zero_3(plan, "quantized_gather", "quantized_gather", found);
  }
  const bool limits = plan.sharding.prefetch_units || plan.sharding.gather_limit;
  if (limits && plan.zero_stage == 3 && !plan.overlap_parameter_gather.value_or(true)) {
    const char* key = plan.sharding.prefetch_units ? "/plan/prefetch_units" : "/plan/gather_limit";
    Violation none = without_effect(key, "parameters are not gathered beside compute");
    none.hint = "overlap_parameter_gather true gathers them so";
    found.push_back(none);
  }
  if (!plan.sharding.reshard_after_forward) {
    need_zero_3(plan, "reshard_after_forward", "reshard_after_forward false", found);
  }
  if (plan.offload.parameters) need_zero_3(plan, "offload", "offload of parameters", found);
}

}  // namespace

void check_sharding(const TrainingJob& job, Violations& found) {
  check_zero(job.plan, found);
  check_sharding_traffic(job.plan, found);
}

namespace {

void check_compression(const ParallelPlan& plan, Violations& found) {
  const auto& method = plan.gradient_compression;
  if (!method) return;
  if (plan.data_parallel > 0 && data_group_size(plan) == 1) {
    found.push_back(without_effect("/plan/gradient_compression",
                                   "nothing is reduced at " + degree("data_parallel", 1)));
  }
  const bool whole =
      method == GradientCompression::OneBitAdam || method == GradientCompression::PowerSgd;
  if (!whole || plan.zero_stage == 0) return;
  found.push_back({"/plan/gradient_compression",
                   "this gradient_compression needs whole gradients, zero_stage " +
                       std::to_string(plan.zero_stage) + " scatters them",
                   "fp16 and int8 go with every zero_stage",
                   {}});
}

// What is counted by the four matrices of a dense layer.
void check_dense_only(const TrainingJob& job, Violations& found) {
  if (!job.model.experts.used() && !job.model.latent_attention.used()) return;
  const auto refuse = [&](bool asked, const char* key, const std::string& what,
                          const std::string& way_out) {
    if (!asked) return;
    found.push_back(
        {key, what + " is modelled for dense layers without latent attention", way_out, {}});
  };
  refuse(job.fine_tuning.has_value(), "/fine_tuning", "fine_tuning",
         "without it all weights are trained");
  refuse(job.plan.gradient_compression == GradientCompression::PowerSgd,
         "/plan/gradient_compression", "powersgd", "int8 and fp16 go with every model");
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
  if (job.moment_precision && !uses_adam(job)) {
    found.push_back(without_effect("/moment_precision", "the optimizer is neither adam nor adamw"));
  }
  if (job.moment_precision == Precision::Fp8) {
    found.push_back({"/moment_precision",
                     "moments in fp8 are not modelled",
                     "\"optimizer\": \"adam_8bit\" keeps a byte a moment",
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

}  // namespace

void check_techniques(const TrainingJob& job, Violations& found) {
  if (job.fine_tuning && job.fine_tuning->rank > job.model.hidden_size) {
    found.push_back({"/fine_tuning/rank",
                     degree("rank", job.fine_tuning->rank) + " is above " +
                         degree("hidden_size", job.model.hidden_size),
                     "adapters are narrower than what they adapt",
                     {}});
  }
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
  if (job.plan.offload.optimizer && !uses_adam(job)) {
    found.push_back({"/plan/offload",
                     "the host's cores run Adam only, the scenario has another optimizer",
                     "offload of the optimizer goes with adam and adamw",
                     {}});
  }
}

}  // namespace stepcast
