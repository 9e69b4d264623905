// What an algorithm's traffic is to the links: how often one unit of it crosses each. The bytes of
// a unit and the time are models/collectives' job.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "topology/cluster.h"

namespace stepcast {

/// A flow that crosses a link `weight` times takes that many shares of it.
struct WeightedLink {
  LinkId link;
  int weight;
  friend bool operator==(const WeightedLink&, const WeightedLink&) = default;
};

/// The ways in which collectives lie on the links. A message between two GPUs is a ring of one
/// route.
enum class TrafficKind {
  Ring,      ///< all channels' rings
  Tree,      ///< chains inside nodes, NCCL's double binary tree between them
  Nvls,      ///< reduced and spread by the NVSwitches; between nodes by switches that reduce
  NvlsTree,  ///< the same inside nodes, double binary trees between them
  CollNet,   ///< gathered at the NICs' owners; between nodes by switches that reduce (SHARP)
  AllToAll,  ///< every member to every other
};
inline constexpr int kNumTrafficKinds = 6;

template <class Value>
using PerTraffic = std::array<Value, kNumTrafficKinds>;

constexpr std::size_t index(TrafficKind kind) { return static_cast<std::size_t>(kind); }

/// A coupled flow of B bytes crosses each link with weight x B. `links` ascending, weights without
/// a common divisor; empty where the group cannot run so.
struct Traffic {
  std::vector<WeightedLink> links;
  /// Such flows in the group's whole traffic: channels for a ring, twice as many for trees (each
  /// takes half of a channel's share), shares of one message for an all-to-all.
  double units = 1;
  BytesPerSecond pace;  ///< min over links of bandwidth / weight; 0 without links
};

/// Crossings as they are found, in any order.
class LinkTally {
 public:
  void add(const std::vector<LinkId>& route, int weight = 1);
  /// `units` of the whole traffic, before weights are divided by what they have in common.
  Traffic traffic(const Cluster& cluster, double units) const;
  std::vector<WeightedLink> links() const;

 private:
  std::vector<WeightedLink> crossings_;
};

/// What the tightest link leaves a flow; 0 for none.
BytesPerSecond pace_over(const Cluster& cluster, std::span<const WeightedLink> links);

}  // namespace stepcast
