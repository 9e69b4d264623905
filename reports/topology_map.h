// A cluster's devices and links, as text, JSON and a page.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "topology/cluster_map.h"

namespace stepcast {

/// Links of one kind and bandwidth.
struct EqualLinks {
  LinkKind kind;
  BytesPerSecond bandwidth;  ///< of one, in its direction
  int links = 0;             ///< a cable is two
  std::string name;          ///< of the first
};

/// In the order of the kinds, the fastest first.
std::vector<EqualLinks> equal_links(const Cluster& cluster);

/// `devices` and `links`, whose `from` and `to` number the devices.
nlohmann::ordered_json map_json(const ClusterMap& map, const Cluster& cluster);

/// The classes of links, and the maps of the first node and, of several nodes, of their network.
nlohmann::ordered_json topology_json(const std::string& title, const Cluster& cluster);

std::string topology_text(const std::string& title, const Cluster& cluster);

}  // namespace stepcast
