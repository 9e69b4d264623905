// One node taken apart: its devices and the directed links between them. The nodes of a cluster are
// alike, so this is worked out once and repeated. Private to topology/.
#pragma once

#include <string>
#include <vector>

#include "topology/cluster.h"

namespace stepcast {

struct NodePart {
  DeviceKind kind;
  std::string name;  ///< "gpu1", "pcie0", "socket1"
};

/// One direction of one cable. `from` and `to` are positions in NodeParts::parts.
struct PartLink {
  int from;
  int to;
  LinkKind kind;
  BytesPerSecond bandwidth;
};

struct NodeParts {
  std::vector<NodePart> parts;
  std::vector<PartLink> links;  ///< the two directions of a cable follow each other

  /// Positions in `parts` of one kind, in order.
  std::vector<int> of_kind(DeviceKind kind) const;

  /// "gpu1>nvswitch"
  std::string link_name(const PartLink& link) const;
};

/// All of the node's GPUs, whether in use or not, and `nics` NICs. Each socket has its memory, and
/// its share of the host memory's bandwidth in each direction.
NodeParts assemble_node(const NodeSpec& node, int nics);

}  // namespace stepcast
