#include "reports/scenario_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/numbers.h"

namespace stepcast {
namespace {

std::string name_or(const std::string& name, const char* inline_part) {
  return name.empty() ? inline_part : name;
}

std::string parameters_text(const Scenario& scenario) {
  const std::int64_t parameters =
      total_parameters(scenario.job.model, padded_vocab(scenario.job, scenario.profile.framework),
                       scenario.job.batch.sequence_length);
  const double count = static_cast<double>(parameters);
  return count < 1e9 ? rounded_text(count / 1e6) + " M" : rounded_text(count / 1e9) + " B";
}

std::string model_and_cluster(const Scenario& scenario) {
  const ClusterSpec& cluster = scenario.cluster;
  std::string text = fmt::format(
      "{} ({} parameters) on {} {} of {}", name_or(scenario.model_name, "an inline model"),
      parameters_text(scenario), count_text(cluster.nodes), cluster.nodes == 1 ? "node" : "nodes",
      name_or(scenario.node_name, "an inline node"));
  if (cluster.nodes > 1) text += ", " + name_or(scenario.fabric_name, "an inline fabric");
  const int gpus = rank_grid(scenario.job.plan).num_ranks();
  text += fmt::format(": {} {}", count_text(gpus), gpus == 1 ? "GPU" : "GPUs");
  if (!cluster.faults.empty()) text += fmt::format(", faults: {}", cluster.faults.size());
  return text;
}

std::string degrees(const ParallelPlan& plan) {
  std::vector<std::string> degrees;
  const auto add = [&](const char* name, int degree) {
    if (degree > 1) degrees.push_back(fmt::format("{} {}", name, degree));
  };
  add("tensor", plan.tensor_parallel);
  add("context", plan.context_parallel);
  add("expert", plan.expert_parallel);
  add("pipeline", plan.pipeline_parallel);
  add("data", plan.data_parallel);
  if (degrees.empty()) return "not parallel";
  return fmt::format("{}", fmt::join(degrees, " x "));
}

std::string plan_line(const ParallelPlan& plan) {
  std::string text = degrees(plan);
  if (plan.pipeline_parallel > 1 && plan.schedule) {
    text += fmt::format(", {}", word(*plan.schedule));
    if (plan.virtual_pipeline > 1) text += fmt::format(" of {} chunks", plan.virtual_pipeline);
  }
  if (plan.sequence_parallel) text += ", sequence parallel";
  if (plan.zero_stage > 0) text += fmt::format(", ZeRO-{}", plan.zero_stage);
  if (plan.shard_group > 0) text += fmt::format(" over {} ranks", plan.shard_group);
  if (plan.recompute != Recompute::None) {
    text += fmt::format(", recompute {}", word(plan.recompute));
    const std::vector<std::string_view> operations = words(plan.recompute_operations);
    if (!operations.empty()) text += fmt::format(" ({})", fmt::join(operations, ", "));
  }
  return text;
}

std::string batch_line(const TrainingJob& job) {
  return fmt::format("{} sequences of {} tokens in micro-batches of {}, {}, {}, {}",
                     count_text(job.batch.global_batch), count_text(job.batch.sequence_length),
                     job.batch.micro_batch, word(job.precision), word(job.attention),
                     word(job.framework));
}

}  // namespace

std::vector<std::string> scenario_lines(const Scenario& scenario) {
  return {model_and_cluster(scenario), plan_line(scenario.job.plan), batch_line(scenario.job)};
}

}  // namespace stepcast
