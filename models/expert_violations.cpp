// What keeps experts from the ranks of a stage.
#include <fmt/format.h>

#include <numeric>
#include <string>

#include "models/violation_checks.h"

namespace stepcast {
namespace {

void check_expert_degrees(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  const ExpertLayers& experts = job.model.experts;
  const int matrices = plan.expert_tensor_parallel;
  const std::string sharing = degree("expert_parallel", plan.expert_parallel) + " x " +
                              degree("expert_tensor_parallel", matrices);
  const int ranks = plan.tensor_parallel * plan.context_parallel * plan.data_parallel;
  if (ranks % (plan.expert_parallel * matrices) != 0) {
    found.push_back({"/plan/expert_parallel",
                     "a stage's " + std::to_string(ranks) + " ranks do not divide by " + sharing,
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

// Keys of a plan that only experts read.
void check_without_experts(const ParallelPlan& plan, Violations& found) {
  if (plan.expert_parallel > 1) {
    found.push_back(
        {"/plan/expert_parallel",
         degree("expert_parallel", plan.expert_parallel) + " for a model without experts",
         "leave expert_parallel out",
         {}});
  }
  const ParallelPlan none;
  const auto refuse = [&](bool stated, const char* key) {
    if (stated) found.push_back(without_effect(key, "the model has no experts"));
  };
  refuse(plan.expert_tensor_parallel > 1, "/plan/expert_tensor_parallel");
  refuse(plan.expert_capacity.has_value(), "/plan/expert_capacity");
  refuse(plan.expert_load_imbalance != none.expert_load_imbalance, "/plan/expert_load_imbalance");
  refuse(plan.expert_dispatch != none.expert_dispatch, "/plan/expert_dispatch");
  refuse(plan.overlap_shared_experts, "/plan/overlap_shared_experts");
}

void check_effects(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  if (plan.overlap_shared_experts && job.model.experts.shared_ffn_hidden_size == 0) {
    found.push_back(
        without_effect("/plan/overlap_shared_experts", "the model has no shared experts"));
  }
  if (plan.expert_dispatch != ExpertDispatch::AllToAll && plan.expert_parallel == 1) {
    found.push_back(
        without_effect("/plan/expert_dispatch", "every rank has all experts at expert_parallel 1"));
  }
}

}  // namespace

void check_experts(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  if (!job.model.experts.used()) {
    check_without_experts(plan, found);
    return;
  }
  check_effects(job, found);
  check_expert_degrees(job, found);
  if (plan.tensor_parallel > 1 && !plan.sequence_parallel) {
    found.push_back({"/plan/sequence_parallel",
                     "experts with " + degree("tensor_parallel", plan.tensor_parallel) +
                         " need sequence_parallel",
                     "sequence_parallel true",
                     {"every tensor rank would send all tokens to the experts"}});
  }
  if (plan.shard_group > 0) {
    found.push_back({"/plan/shard_group",
                     "shard_group is not modelled for experts",
                     "zero_stage 3 shards experts over the ranks that hold the same ones",
                     {}});
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

}  // namespace stepcast
