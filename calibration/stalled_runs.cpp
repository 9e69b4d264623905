#include "calibration/stalled_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "models/stalls.h"

namespace stepcast {
namespace {

constexpr double kOverRepeat = 1.5;
constexpr double kOverSibling = 1.5;
constexpr Seconds kBeyondSibling = 0.2_s;
constexpr Seconds kShortestHold = 0.15_s;
constexpr Seconds kLongestHold = 0.45_s;

bool is_pipeline(const Scenario& scenario) { return scenario.job.plan.pipeline_parallel > 1; }
bool crosses_nodes(const Scenario& scenario) { return scenario.cluster.nodes > 1; }

std::string siblings_key(const RunTime& run) {
  const TrainingJob& job = run.scenario->job;
  return fmt::format("{}/{}/{}/{}/{}/{}/{}/{}/{}/{}/{}", run.suite, run.scenario->profile.gpu.name,
                     job.model.hidden_size, job.plan.tensor_parallel, is_pipeline(*run.scenario),
                     job.batch.sequence_length, static_cast<int>(job.precision),
                     static_cast<int>(job.attention), static_cast<int>(job.plan.recompute),
                     job.plan.zero_stage >= 3, job.runtime.torch_compile);
}

// Equal for runs of one scenario: all that was asked for, without what was said of it.
std::string repeats_key(const RunTime& run) {
  nlohmann::json asked = scenario_to_json(*run.scenario);
  for (const char* said : {"title", "claimed", "measured", "caveats"}) asked.erase(said);
  return run.suite + asked.dump();
}

Seconds per_slot(Seconds step, const Scenario& scenario) {
  return step / (num_micro_batches(scenario.job) + scenario.job.plan.pipeline_parallel - 1);
}

double layers_per_stage(const Scenario& scenario) {
  return static_cast<double>(scenario.job.model.num_layers) / scenario.job.plan.pipeline_parallel;
}

// The slot's work as the sibling shows it: never scaled down, since hosts pace small ones.
Seconds work_by(const RunTime& sibling, const RunTime& run) {
  const double micro_batch = static_cast<double>(run.scenario->job.batch.micro_batch) /
                             sibling.scenario->job.batch.micro_batch;
  const double layers = layers_per_stage(*run.scenario) / layers_per_stage(*sibling.scenario);
  return std::max(1.0, micro_batch) * std::max(1.0, layers) *
         per_slot(sibling.measured, *sibling.scenario);
}

bool beyond_siblings(const RunTime& run, const std::vector<const RunTime*>& siblings) {
  const Seconds slot = per_slot(run.measured, *run.scenario);
  return std::any_of(siblings.begin(), siblings.end(), [&](const RunTime* sibling) {
    const bool inside_a_node = !crosses_nodes(*sibling->scenario) && crosses_nodes(*run.scenario);
    return sibling != &run && !inside_a_node &&
           slot > kOverSibling * work_by(*sibling, run) + kBeyondSibling;
  });
}

// Whether each run took far longer than the fastest run of its scenario.
std::vector<bool> beyond_repeats(std::span<const RunTime> runs) {
  std::vector<std::string> keys;
  std::map<std::string, Seconds> fastest;
  for (const RunTime& run : runs) {
    keys.push_back(repeats_key(run));
    const auto [repeat, is_first] = fastest.emplace(keys.back(), run.measured);
    if (!is_first) repeat->second = std::min(repeat->second, run.measured);
  }
  std::vector<bool> beyond;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    beyond.push_back(runs[i].measured > kOverRepeat * fastest.at(keys[i]));
  }
  return beyond;
}

// Whether the run took longer than its free step by what held messages take.
bool by_held_messages(const RunTime& run) {
  if (!is_pipeline(*run.scenario) || !crosses_nodes(*run.scenario)) return false;
  const Scenario& scenario = *run.scenario;
  const StallRisk risk =
      stall_risk(scenario.job, scenario.profile.framework.stalls, scenario.cluster);
  const Seconds free = run.predicted - (risk.expected() ? risk.time() : Seconds());
  const Seconds hold = (run.measured - free) / waited_messages(scenario.job);
  const double over_free = risk.chance > 0 ? 1.15 : 2.0;
  return run.measured > over_free * free && hold >= kShortestHold && hold <= kLongestHold;
}

}  // namespace

std::vector<bool> stalled_runs(std::span<const RunTime> runs) {
  std::map<std::string, std::vector<const RunTime*>> siblings;
  for (const RunTime& run : runs) siblings[siblings_key(run)].push_back(&run);
  std::vector<bool> stalled = beyond_repeats(runs);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    stalled[i] = stalled[i] || beyond_siblings(runs[i], siblings[siblings_key(runs[i])]) ||
                 by_held_messages(runs[i]);
  }
  return stalled;
}

}  // namespace stepcast
