#include "sim/search/goal.h"

#include <algorithm>
#include <cmath>

#include "base/contract.h"
#include "models/price.h"

namespace stepcast {
namespace {

constexpr double rounding = 1e-9;

bool no_better(double cost, double than) { return cost >= than - rounding * std::abs(than); }

bool covers(const std::vector<double>& member, const std::vector<double>& costs) {
  for (std::size_t i = 0; i < costs.size(); ++i) {
    if (!no_better(costs[i], member[i])) return false;
  }
  return true;
}

double tokens_per_s(const Batch& batch, Seconds step_time) {
  return static_cast<double>(batch.global_batch) * batch.sequence_length / step_time.value();
}

Seconds whole_training(const Scenario& scenario, const Batch& batch, Seconds step_time) {
  return training_time(scenario.training_tokens.value(), tokens_per_s(batch, step_time));
}

double usd_of_training(const Scenario& scenario, const Batch& batch, Seconds step_time) {
  return training_usd(usd_per_hour(scenario.price.value(), scenario.cluster.nodes),
                      whole_training(scenario, batch, step_time));
}

double cost(Objective objective, const Scenario& scenario, const Batch& batch,
            const LayoutFigures& figures) {
  switch (objective) {
    case Objective::StepTime:
      return figures.step_time.value();
    case Objective::CostPerToken:
      return usd_per_million_tokens(usd_per_hour(scenario.price.value(), scenario.cluster.nodes),
                                    tokens_per_s(batch, figures.step_time));
    case Objective::TrainingCost:
      return usd_of_training(scenario, batch, figures.step_time);
    case Objective::MemoryHeadroom:
      return (figures.memory - scenario.cluster.node.gpu.memory).value();
  }
  STEPCAST_REQUIRES(false && "every objective has a cost");
  return 0;
}

}  // namespace

std::vector<double> costs(const SearchGoal& goal, const Scenario& scenario, const Batch& batch,
                          const LayoutFigures& figures) {
  std::vector<double> all{cost(goal.objective, scenario, batch, figures)};
  if (goal.pareto_with) all.push_back(cost(*goal.pareto_with, scenario, batch, figures));
  return all;
}

bool fits(const SearchGoal& goal, double oom_probability) {
  return 1.0 - oom_probability >= goal.fit_probability;
}

bool is_allowed(const SearchGoal& goal, const Scenario& scenario, const Batch& batch,
                const LayoutFigures& figures) {
  if (!fits(goal, figures.oom_probability)) return false;
  if (goal.deadline && whole_training(scenario, batch, figures.step_time) > *goal.deadline) {
    return false;
  }
  return !goal.max_training_usd ||
         usd_of_training(scenario, batch, figures.step_time) <= *goal.max_training_usd;
}

bool Front::covers(const std::vector<double>& costs) const {
  return std::any_of(members_.begin(), members_.end(),
                     [&](const Member& member) { return stepcast::covers(member.costs, costs); });
}

void Front::add(std::size_t layout, const std::vector<double>& costs) {
  if (covers(costs)) return;
  std::erase_if(members_,
                [&](const Member& member) { return stepcast::covers(costs, member.costs); });
  const auto place = std::find_if(members_.begin(), members_.end(), [&](const Member& member) {
    return member.costs.front() > costs.front();
  });
  members_.insert(place, {layout, costs});
}

}  // namespace stepcast
