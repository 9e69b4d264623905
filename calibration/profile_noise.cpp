#include "calibration/profile_noise.h"

#include <algorithm>
#include <cmath>

namespace stepcast {
namespace {

constexpr double kNormalOf90 = 1.645;
constexpr int kManyNodes = 8;
constexpr std::size_t kFewRuns = 10;

struct Miss {
  double size = 0;
  int nodes = 1;
};

// Of at least one value, the one that 90 % do not exceed.
double ninth_decile(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double place = 0.9 * static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(std::lround(place))];
}

double framework_spread(const std::vector<Miss>& misses) {
  std::vector<double> few_nodes;
  std::vector<double> all;
  for (const Miss& miss : misses) {
    all.push_back(miss.size / kNormalOf90);
    if (miss.nodes < kManyNodes) few_nodes.push_back(miss.size / kNormalOf90);
  }
  const std::vector<double>& used = few_nodes.size() < kFewRuns ? all : few_nodes;
  constexpr double kUsual = 0.06;
  constexpr double kUsualRuns = 10;
  const double found = ninth_decile(used);
  const auto count = static_cast<double>(used.size());
  return std::sqrt((count * found * found + kUsualRuns * kUsual * kUsual) / (count + kUsualRuns));
}

using Spreads = std::map<std::string, ProfileNoise::Spread>;

Spreads framework_spreads(std::span<const RunMiss> misses) {
  std::map<std::string, std::vector<Miss>> frameworks;
  for (const RunMiss& miss : misses) {
    if (!miss.fitted) continue;
    const Scenario& scenario = miss.run->scenario;
    frameworks[scenario.profile.framework.name].push_back(
        {std::abs(miss.miss), scenario.cluster.nodes});
  }
  Spreads spreads;
  for (const auto& [name, of_framework] : frameworks) {
    spreads[name] = {framework_spread(of_framework), of_framework.size()};
  }
  return spreads;
}

// What runs on many nodes need beyond their framework's spread, per square root of the nodes.
template <class Name>
Spreads jitters_by(Name name_of, std::span<const RunMiss> misses, const Spreads& frameworks) {
  std::map<std::string, std::vector<double>> groups;
  for (const RunMiss& miss : misses) {
    const Scenario& scenario = miss.run->scenario;
    if (!miss.fitted || scenario.cluster.nodes < kManyNodes) continue;
    const double spread = frameworks.at(scenario.profile.framework.name).value;
    const double beyond = std::pow(miss.miss / kNormalOf90, 2) - spread * spread;
    groups[name_of(*miss.run)].push_back(std::sqrt(std::max(0.0, beyond) / scenario.cluster.nodes));
  }
  Spreads jitters;
  for (const auto& [name, beyond] : groups) jitters[name] = {ninth_decile(beyond), beyond.size()};
  return jitters;
}

}  // namespace

std::string habitat(const MeasuredRun& run) {
  const Profile& profile = run.scenario.profile;
  return profile.framework.name + " over " + profile.network.name;
}

std::map<std::string, ProfileNoise::Spread> habitat_jitters(std::span<const RunMiss> misses) {
  return jitters_by(habitat, misses, framework_spreads(misses));
}

ProfileNoise noise_of(std::span<const RunMiss> misses) {
  const Spreads frameworks = framework_spreads(misses);
  const auto network = [](const MeasuredRun& run) { return run.scenario.profile.network.name; };
  return {frameworks, jitters_by(network, misses, frameworks)};
}

}  // namespace stepcast
