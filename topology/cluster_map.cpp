#include "topology/cluster_map.h"

#include <algorithm>
#include <compare>
#include <map>
#include <tuple>

#include "base/contract.h"

namespace stepcast {
namespace {

constexpr std::size_t most_devices_drawn = 80;

/// Puts links with the same ends, kind and bandwidth together, in the order of the first of each.
class LinkMerger {
 public:
  void add(int from, int to, const Link& link, std::span<const LinkId> ids) {
    const auto [place, added] =
        known_.try_emplace({from, to, link.kind, link.bandwidth}, merged_.size());
    if (added) merged_.push_back({from, to, link.kind, link.bandwidth, {}});
    std::vector<LinkId>& all = merged_[place->second].links;
    all.insert(all.end(), ids.begin(), ids.end());
  }

  std::vector<MapLink> links() && { return std::move(merged_); }

 private:
  std::map<std::tuple<int, int, LinkKind, BytesPerSecond>, std::size_t> known_;
  std::vector<MapLink> merged_;
};

constexpr int not_drawn = -1;

// Links between devices that are drawn; a device may be drawn as part of another.
std::vector<MapLink> links_between(const Cluster& cluster, const std::vector<int>& drawn_as) {
  LinkMerger merger;
  for (LinkId id = 0; id < static_cast<LinkId>(cluster.links().size()); ++id) {
    const Link& link = cluster.links()[static_cast<std::size_t>(id)];
    const int from = drawn_as[static_cast<std::size_t>(link.from)];
    const int to = drawn_as[static_cast<std::size_t>(link.to)];
    if (from == not_drawn || to == not_drawn || from == to) continue;
    merger.add(from, to, link, {&id, 1});
  }
  return std::move(merger).links();
}

double slowest_gpu(const Cluster& cluster, int node) {
  double rate = 1;
  for (int gpu = 0; gpu < cluster.gpus_per_node(); ++gpu) {
    rate = std::min(rate, cluster.gpu_rate(node * cluster.gpus_per_node() + gpu));
  }
  return rate;
}

ClusterMap small_enough(ClusterMap map) {
  return map.devices.size() > most_devices_drawn ? folded(map) : std::move(map);
}

/// A link as one of its ends sees it.
struct Sight {
  bool out;
  int colour;  ///< of the other end
  LinkKind kind;
  BytesPerSecond bandwidth;
  std::size_t links;
  friend auto operator<=>(const Sight&, const Sight&) = default;
};

// Devices keep their colour's number as long as nothing tells them from the first of it.
template <typename Signature>
std::vector<int> numbered(const std::vector<Signature>& signatures) {
  std::map<Signature, int> known;
  std::vector<int> colours;
  colours.reserve(signatures.size());
  for (const Signature& signature : signatures) {
    colours.push_back(known.try_emplace(signature, static_cast<int>(known.size())).first->second);
  }
  return colours;
}

int number_of_colours(const std::vector<int>& colours) {
  return 1 + *std::max_element(colours.begin(), colours.end());
}

std::vector<int> first_colours(const ClusterMap& map) {
  std::vector<std::tuple<std::optional<DeviceKind>, double, int>> signatures;
  for (const MapDevice& device : map.devices) {
    signatures.emplace_back(device.kind, device.rate, device.alike);
  }
  return numbered(signatures);
}

std::vector<int> refined(const ClusterMap& map, const std::vector<int>& colours) {
  std::vector<std::pair<int, std::vector<Sight>>> signatures;
  for (const int colour : colours) signatures.push_back({colour, {}});
  const auto at = [](int device) { return static_cast<std::size_t>(device); };
  for (const MapLink& link : map.links) {
    const std::size_t count = link.links.size();
    signatures[at(link.from)].second.push_back(
        {true, colours[at(link.to)], link.kind, link.bandwidth, count});
    signatures[at(link.to)].second.push_back(
        {false, colours[at(link.from)], link.kind, link.bandwidth, count});
  }
  for (auto& [unused, sights] : signatures) std::sort(sights.begin(), sights.end());
  return numbered(signatures);
}

}  // namespace

ClusterMap folded(const ClusterMap& map) {
  std::vector<int> colours = first_colours(map);
  for (int before = 0; before != number_of_colours(colours);) {
    before = number_of_colours(colours);
    colours = refined(map, colours);
  }
  ClusterMap result;
  for (std::size_t d = 0; d < map.devices.size(); ++d) {
    const auto colour = static_cast<std::size_t>(colours[d]);
    if (colour == result.devices.size()) {
      result.devices.push_back(map.devices[d]);
    } else {
      result.devices[colour].alike += map.devices[d].alike;
    }
  }
  LinkMerger merger;
  for (const MapLink& link : map.links) {
    merger.add(colours[static_cast<std::size_t>(link.from)],
               colours[static_cast<std::size_t>(link.to)],
               {"", link.kind, link.bandwidth, 0, 0, false, false}, link.links);
  }
  result.links = std::move(merger).links();
  return result;
}

ClusterMap map_of_node(const Cluster& cluster, int node) {
  STEPCAST_REQUIRES(node >= 0 && node < cluster.num_nodes());
  const std::vector<ClusterDevice> devices = cluster.devices();
  std::vector<char> near(devices.size(), 0);
  for (const Link& link : cluster.links()) {
    const auto from = static_cast<std::size_t>(link.from);
    if (devices[from].node == node) near[from] = near[static_cast<std::size_t>(link.to)] = 1;
  }
  ClusterMap map;
  std::vector<int> drawn_as(devices.size(), not_drawn);
  for (std::size_t d = 0; d < devices.size(); ++d) {
    if (!near[d]) continue;
    drawn_as[d] = static_cast<int>(map.devices.size());
    const double rate = devices[d].gpu < 0 ? 1 : cluster.gpu_rate(devices[d].gpu);
    map.devices.push_back({devices[d].name, devices[d].kind, 1, rate});
  }
  map.links = links_between(cluster, drawn_as);
  std::erase_if(map.links, [](const MapLink& link) { return link.kind == LinkKind::Network; });
  return small_enough(std::move(map));
}

ClusterMap map_of_network(const Cluster& cluster) {
  STEPCAST_REQUIRES(cluster.num_nodes() > 1);
  ClusterMap map;
  for (int node = 0; node < cluster.num_nodes(); ++node) {
    map.devices.push_back(
        {"node" + std::to_string(node), std::nullopt, 1, slowest_gpu(cluster, node)});
  }
  std::vector<int> drawn_as;
  for (const ClusterDevice& device : cluster.devices()) {
    if (device.node >= 0) {
      drawn_as.push_back(device.node);
      continue;
    }
    drawn_as.push_back(static_cast<int>(map.devices.size()));
    map.devices.push_back({device.name, device.kind});
  }
  map.links = links_between(cluster, drawn_as);
  return small_enough(std::move(map));
}

}  // namespace stepcast
