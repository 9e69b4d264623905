#include "topology/channel_search.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <span>
#include <utility>

namespace stepcast {

namespace {

// src/graph/search.cc: speedArrayIntra, speedArrayInter and their SM90 and SM100 forms.
constexpr double kWithin[] = {40, 30, 20, 18, 15, 12, 10, 9, 7, 6, 5, 4, 3};
constexpr double kAcross[] = {48, 30, 28, 24, 20, 18,  15,  12,  10, 9,
                              7,  6,  5,  4,  3,  2.4, 1.2, .24, .12};
constexpr double kWithinHopper[] = {60, 50, 40, 30, 24, 20, 15, 12, 11, 6, 3};
constexpr double kAcrossHopper[] = {48, 45, 42, 40, 30,  24,  22,  20, 17.5,
                                    15, 12, 6,  3,  2.4, 1.2, .24, .12};
constexpr double kWithinBlackwell[] = {90, 80, 70, 60, 50, 40, 30, 24, 20, 19, 18};
constexpr double kAcrossBlackwell[] = {47.9, 45, 42, 40, 30,  24,  22,  20, 17.5,
                                       15,   12, 6,  3,  2.4, 1.2, .24, .12};

constexpr int kMostChannels = 32;      // MAXCHANNELS / 2 by 2.27
constexpr double kLowestShare = 0.49;  // of the best rung found
// A rung of a B200's ladder is a hair below its NIC (47.9 and 48 GB/s); NCCL's logs show that two
// of half the pace do not win over it.
constexpr double kNoticeable = 1.01;
constexpr double kRounding = 1 + 1e-9;

std::span<const double> ladder(GpuArchitecture architecture, bool across) {
  switch (architecture) {
    case GpuArchitecture::Volta:
    case GpuArchitecture::Ampere:
      break;
    case GpuArchitecture::Hopper:
      if (across) return kAcrossHopper;
      return kWithinHopper;
    case GpuArchitecture::Blackwell:
      if (across) return kAcrossBlackwell;
      return kWithinBlackwell;
  }
  if (across) return kAcross;
  return kWithin;
}

BytesPerSecond rate(double rung) { return rung * 1_GB_per_s; }

/// The ways with their links numbered densely, so that placing needs no look-up.
struct NumberedWays {
  using Uses = std::vector<std::pair<std::size_t, int>>;
  std::vector<double> bandwidth;  ///< [link], bytes per second
  std::vector<Uses> all;          ///< [way]
  std::vector<Uses> hops;
};

NumberedWays numbered(const Cluster& cluster, const std::vector<ChannelWay>& ways) {
  NumberedWays numbers;
  std::map<LinkId, std::size_t> known;
  const auto uses_of = [&](const std::vector<WeightedLink>& links) {
    NumberedWays::Uses uses;
    for (const WeightedLink& use : links) {
      const auto [place, added] = known.try_emplace(use.link, numbers.bandwidth.size());
      if (added) {
        const Link& link = cluster.links()[static_cast<std::size_t>(use.link)];
        numbers.bandwidth.push_back(link.bandwidth.value());
      }
      uses.emplace_back(place->second, use.weight);
    }
    return uses;
  };
  for (const ChannelWay& way : ways) {
    numbers.all.push_back(uses_of(way.links));
    numbers.hops.push_back(uses_of(way.hops));
  }
  return numbers;
}

/// What is left of the links while channels are placed.
class Placing {
 public:
  Placing(const std::vector<double>& bandwidth, double rung) : left_(bandwidth), rung_(rung * 1e9) {
    for (double& left : left_) left *= kRounding;
  }

  bool place(const NumberedWays::Uses& way) {
    const bool fits = std::all_of(way.begin(), way.end(), [&](const auto& use) {
      return use.second * rung_ <= left_[use.first];
    });
    if (!fits) return false;
    for (const auto& [link, weight] : way) left_[link] -= weight * rung_;
    return true;
  }

 private:
  std::vector<double> left_;
  double rung_;
};

/// [way]: channels that take it, in turn until none fits.
std::vector<int> place_all(const NumberedWays& ways, double rung) {
  Placing placing(ways.bandwidth, rung);
  std::vector<int> of_way(ways.all.size(), 0);
  int count = 0;
  for (int before = -1; count > before && count < kMostChannels;) {
    before = count;
    for (std::size_t w = 0; w < ways.all.size() && count < kMostChannels; ++w) {
      if (!placing.place(ways.all[w])) continue;
      ++of_way[w];
      ++count;
    }
  }
  return of_way;
}

int total(const std::vector<int>& of_way) {
  return std::accumulate(of_way.begin(), of_way.end(), 0);
}

struct Found {
  double rung = 0;
  std::vector<int> of_way;
  double carried() const { return rung * total(of_way); }
};

Found best_rung(const NumberedWays& ways, std::span<const double> rungs) {
  Found best;
  for (const double rung : rungs) {
    if (best.rung > 0 && rung < kLowestShare * best.rung) break;
    Found found{rung, place_all(ways, rung)};
    if (found.carried() > best.carried() * kNoticeable) best = std::move(found);
  }
  return best;
}

void halve_wide_channels(Found& found, GpuArchitecture architecture) {
  const bool from_hopper =
      architecture == GpuArchitecture::Hopper || architecture == GpuArchitecture::Blackwell;
  const int count = total(found.of_way);
  if (found.rung < 25 || (from_hopper && found.rung < 50 && count > 4)) return;
  if (2 * count > kMostChannels) return;
  found.rung /= 2;
  for (int& channels : found.of_way) channels *= 2;
}

bool hops_fit(const NumberedWays& ways, const std::vector<int>& of_way, double rung) {
  Placing placing(ways.bandwidth, rung);
  for (std::size_t w = 0; w < of_way.size(); ++w) {
    for (int i = 0; i < of_way[w]; ++i) {
      if (!placing.place(ways.hops[w])) return false;
    }
  }
  return true;
}

/// The highest pace inside the node that trees reach: see search_channels.
double tree_rung(const NumberedWays& ways, const Found& found, std::span<const double> rungs) {
  double pace = found.rung;
  for (auto rung = rungs.rbegin(); rung != rungs.rend() && pace < 2 * found.rung; ++rung) {
    if (*rung <= pace) continue;
    if (!hops_fit(ways, found.of_way, *rung)) break;
    pace = *rung;
  }
  return pace;
}

/// Links narrower than every rung: one channel a way at their pace.
ChannelSearch below_all_rungs(const Cluster& cluster, const std::vector<ChannelWay>& ways) {
  LinkTally all;
  for (const ChannelWay& way : ways) {
    for (const WeightedLink& use : way.links) all.add({use.link}, use.weight);
  }
  const BytesPerSecond pace = pace_over(cluster, all.links());
  const SearchedChannels channels{std::max(1, static_cast<int>(ways.size())), pace, pace};
  return {channels, channels, std::vector<int>(ways.size(), 1)};
}

}  // namespace

ChannelSearch search_channels(const Cluster& cluster, const std::vector<ChannelWay>& ways,
                              bool across) {
  const GpuArchitecture architecture = cluster.spec().node.gpu.architecture;
  const std::span<const double> rungs = ladder(architecture, across);
  const NumberedWays numbers = numbered(cluster, ways);
  Found found = best_rung(numbers, rungs);
  if (found.rung == 0) return below_all_rungs(cluster, ways);
  halve_wide_channels(found, architecture);
  const int count = total(found.of_way);
  const SearchedChannels ring{count, rate(found.rung), rate(found.rung)};
  SearchedChannels tree = ring;
  if (across) tree.intra = rate(tree_rung(numbers, found, rungs));
  return {ring, tree, std::move(found.of_way)};
}

}  // namespace stepcast
