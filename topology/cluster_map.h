// A cluster as it is drawn: the inside of a node, and the nodes on their network. Where there is
// more than a drawing can hold, devices that nothing tells apart are one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "topology/cluster.h"

namespace stepcast {

struct MapDevice {
  std::string name;                ///< of the first that it stands for
  std::optional<DeviceKind> kind;  ///< none: a whole node
  int alike = 1;                   ///< for how many it stands
  double rate = 1;                 ///< speed of a GPU, or of a node's slowest
};

/// Links from one device to another. `from` and `to` are positions in ClusterMap::devices.
struct MapLink {
  int from;
  int to;
  LinkKind kind;
  BytesPerSecond bandwidth;   ///< of one
  std::vector<LinkId> links;  ///< for which it stands
};

struct ClusterMap {
  std::vector<MapDevice> devices;
  std::vector<MapLink> links;
};

/// The parts of a node, with the switches that its NICs hang on. Requires a node of the cluster.
ClusterMap map_of_node(const Cluster& cluster, int node);

/// Nodes and the switches between them. Requires several nodes.
ClusterMap map_of_network(const Cluster& cluster);

/// The map with those devices as one that are of a kind and speed, and have the same number of
/// links of the same kind and bandwidth to others that are one in turn: the coarsest equitable
/// partition, by colour refinement.
ClusterMap folded(const ClusterMap& map);

}  // namespace stepcast
