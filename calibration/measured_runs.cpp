#include "calibration/measured_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string_view>

#include "scenarios/plan_check.h"

namespace stepcast {
namespace {

// FNV-1a, finished by splitmix64: the same on every machine.
std::uint64_t hash(std::string_view text, std::uint64_t seed) {
  std::uint64_t h = 14695981039346656037ULL ^ seed;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
  h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
  return h ^ (h >> 31);
}

std::string near_duplicates(const MeasuredRun& run) {
  const TrainingJob& job = run.scenario.job;
  return fmt::format("{}/{}/{}/{}/{}/{}", run.suite, job.model.hidden_size,
                     job.plan.tensor_parallel, job.batch.micro_batch, job.batch.sequence_length,
                     run.scenario.cluster.nodes);
}

}  // namespace

std::optional<Seconds> measured_step_time(const Scenario& scenario) {
  if (!scenario.measured) return std::nullopt;
  const Figures& measured = *scenario.measured;
  const Batch& batch = scenario.job.batch;
  const double tokens = static_cast<double>(batch.global_batch) * batch.sequence_length;
  if (measured.step_time) return measured.step_time;
  if (measured.tokens_per_s) return Seconds(tokens / *measured.tokens_per_s);
  if (measured.tokens_per_s_per_gpu) {
    return Seconds(tokens / *measured.tokens_per_s_per_gpu / num_gpus(scenario.cluster));
  }
  return std::nullopt;
}

std::vector<MeasuredRun> read_measured_runs(const std::vector<std::string>& paths) {
  std::vector<MeasuredRun> runs;
  for (const std::string& path : paths) {
    for (const std::string& file : scenario_files(path)) {
      const std::string suite = std::filesystem::path(file).stem().string();
      for (Scenario& scenario : read_suite(file, {}).scenarios) {
        const std::optional<Seconds> step_time = measured_step_time(scenario);
        if (step_time) runs.push_back({std::move(scenario), suite, *step_time});
      }
    }
  }
  return runs;
}

void deal_halves(std::vector<MeasuredRun>& runs, std::uint64_t seed) {
  struct Group {
    std::uint64_t place = 0;
    std::vector<MeasuredRun*> runs;
  };
  std::map<std::string, std::map<std::string, Group>> suites;
  for (MeasuredRun& run : runs) {
    const std::string key = near_duplicates(run);
    Group& group = suites[run.suite][key];
    group.place = hash(key, seed);
    group.runs.push_back(&run);
  }
  for (const auto& [suite, groups] : suites) {
    std::map<std::uint64_t, const Group*> shuffled;
    for (const auto& [key, group] : groups) shuffled[group.place] = &group;
    std::size_t fitting = 0;
    std::size_t judging = 0;
    for (const auto& [place, group] : shuffled) {
      const bool fits = fitting <= judging;
      for (MeasuredRun* run : group->runs) run->fits = fits;
      (fits ? fitting : judging) += group->runs.size();
    }
  }
}

double suite_weight(std::size_t runs_in_suite) {
  constexpr double kFullWeight = 25;
  return std::min(1.0, std::sqrt(kFullWeight / static_cast<double>(runs_in_suite)));
}

}  // namespace stepcast
