#include "topology/traffic.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace stepcast {

void LinkTally::add(const std::vector<LinkId>& route, int weight) {
  if (weight == 0) return;
  for (const LinkId link : route) crossings_.push_back({link, weight});
}

std::vector<WeightedLink> LinkTally::links() const {
  std::vector<WeightedLink> sorted = crossings_;
  std::sort(sorted.begin(), sorted.end(),
            [](const WeightedLink& a, const WeightedLink& b) { return a.link < b.link; });
  std::vector<WeightedLink> links;
  for (const auto& [link, weight] : sorted) {
    if (links.empty() || links.back().link != link) links.push_back({link, 0});
    links.back().weight += weight;
  }
  return links;
}

Traffic LinkTally::traffic(const Cluster& cluster, double units) const {
  Traffic traffic{links(), units, {}};
  int common = 0;
  for (const WeightedLink& use : traffic.links) common = std::gcd(common, use.weight);
  for (WeightedLink& use : traffic.links) use.weight /= common;
  if (common > 0) traffic.units /= common;
  traffic.pace = pace_over(cluster, traffic.links);
  return traffic;
}

BytesPerSecond pace_over(const Cluster& cluster, std::span<const WeightedLink> links) {
  if (links.empty()) return {};
  BytesPerSecond slowest(std::numeric_limits<double>::infinity());
  for (const auto& [link, weight] : links) {
    const BytesPerSecond bandwidth = cluster.links()[static_cast<std::size_t>(link)].bandwidth;
    slowest = std::min(slowest, bandwidth / weight);
  }
  return slowest;
}

}  // namespace stepcast
