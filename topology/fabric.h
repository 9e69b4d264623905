// The network between nodes: switches, the links between them, and the path from one to another.
// Private to topology/; one builder a file in fabrics/.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "topology/cluster_spec.h"

namespace stepcast {

/// One direction of a cable between two switches; the two directions follow each other.
struct SwitchLink {
  int from;
  int to;
  BytesPerSecond bandwidth;
};

struct Fabric {
  std::vector<std::string> switches;
  std::vector<SwitchLink> links;
  std::vector<int> leaf_of_nic;  ///< [node * nics_per_node + nic]: the switch that it hangs on
  BytesPerSecond nic_bandwidth;  ///< what data reaches of a NIC's line rate
  int nics_per_node = 0;

  /// Links from one NIC's switch to another's; `key` chooses among equal paths.
  std::function<std::vector<int>(int from, int to, std::uint64_t key)> path;

  int leaf_of(int node, int nic) const {
    return leaf_of_nic[static_cast<std::size_t>(node * nics_per_node + nic)];
  }
  int add_switch(std::string name);
  /// Both directions; returns the first of the two links.
  int add_cable(int a, int b, BytesPerSecond bandwidth);
};

/// Rail-optimised, fat tree or single switch. Spines that never block are one switch, and all
/// uplinks of a leaf one link, which is what adaptive routing approaches; with equal_cost_paths
/// there are that many spines, and a flow takes the one that the hash names. A three-level tree has
/// a layer of spines in every pod and a core above. Uplinks count the ports that a leaf was built
/// with, so that the last leaf, which may have fewer nodes, is like the others.
Fabric build_switch_tree(const FabricSpec& spec, int nodes);

/// Groups of routers, every two routers of a group joined and every two groups (Kim, Dally, Scott &
/// Abts, ISCA 2008, balanced: a router's links to its group carry twice what its NICs do, its links
/// to other groups as much, over `oversubscription`). Minimal routing: to the router of the group
/// that holds the cable to the other group, across, and to the receiver's router.
Fabric build_dragonfly(const FabricSpec& spec, int nodes);

/// A router a node, joined to the next in each dimension and round; a cable carries what the node's
/// NICs do, over `oversubscription`. Dimension-order routing, the shorter way round.
Fabric build_torus(const FabricSpec& spec, int nodes);

/// Requires nodes >= 2, at least one NIC a node, and positive bandwidth and oversubscription.
/// Throws InputError where the nodes have no place.
Fabric build_fabric(const FabricSpec& spec, int nodes);

}  // namespace stepcast
