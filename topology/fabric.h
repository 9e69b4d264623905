// The network between nodes: leaf switches and the spine above them. Private to topology/.
#pragma once

#include <string>

#include "topology/cluster_spec.h"

namespace stepcast {

/// Which NIC hangs on which leaf, and how wide the leaves' uplinks are. All spine switches are one
/// vertex, which never blocks, and all uplinks of a leaf one link: what adaptive routing
/// approaches.
class Fabric {
 public:
  /// Requires nodes >= 2, at least one NIC a node, and positive bandwidth and oversubscription.
  Fabric(const FabricSpec& spec, int nodes);

  int num_leaves() const { return num_leaves_; }
  int leaf_of(int node, int nic) const;

  /// "leaf3", or "switch" where one switch is all there is.
  std::string leaf_name(int leaf) const;

  /// What data reaches of a NIC's line rate.
  BytesPerSecond nic_bandwidth() const { return spec_.nic_bandwidth * spec_.nic_efficiency; }

  /// A leaf's capacity to the spine, in each direction. Counts the ports that the leaf was built
  /// with, so that the last leaf, which may have fewer nodes, is like the others.
  BytesPerSecond uplink_bandwidth() const;

 private:
  FabricSpec spec_;
  int num_leaves_;
};

}  // namespace stepcast
