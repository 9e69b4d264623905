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

}  // namespace

ProfileNoise noise_of(std::span<const RunMiss> misses) {
  std::map<std::string, std::vector<Miss>> frameworks;
  for (const RunMiss& miss : misses) {
    if (!miss.fitted) continue;
    const Scenario& scenario = miss.run->scenario;
    frameworks[scenario.profile.framework.name].push_back(
        {std::abs(miss.miss), scenario.cluster.nodes});
  }
  ProfileNoise noise;
  for (const auto& [name, of_framework] : frameworks) {
    noise.framework[name] = {framework_spread(of_framework), of_framework.size()};
  }
  std::map<std::string, std::vector<double>> networks;
  for (const RunMiss& miss : misses) {
    const Scenario& scenario = miss.run->scenario;
    if (!miss.fitted || scenario.cluster.nodes < kManyNodes) continue;
    const double spread = noise.framework.at(scenario.profile.framework.name).value;
    const double beyond = std::pow(miss.miss / kNormalOf90, 2) - spread * spread;
    networks[scenario.profile.network.name].push_back(
        std::sqrt(std::max(0.0, beyond) / scenario.cluster.nodes));
  }
  for (const auto& [name, beyond] : networks) {
    noise.network[name] = {ninth_decile(beyond), beyond.size()};
  }
  return noise;
}

}  // namespace stepcast
