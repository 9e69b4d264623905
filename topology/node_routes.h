// How messages travel inside a node: the path between any two of its devices that talk, and which
// NICs are nearest to which GPU. Private to topology/.
#pragma once

#include <vector>

#include "topology/node_parts.h"

namespace stepcast {

/// Positions in NodeParts::links, in order.
using Path = std::vector<int>;

struct NodeRoutes {
  std::vector<std::vector<Path>> gpu_to_gpu;  ///< [from][to]; empty for a GPU to itself
  std::vector<std::vector<Path>> gpu_to_nic;  ///< [gpu][nic]
  std::vector<std::vector<Path>> nic_to_gpu;  ///< [nic][gpu]
  std::vector<Path> gpu_to_memory;            ///< [gpu], to the nearest
  std::vector<Path> memory_to_gpu;            ///< [gpu]
  std::vector<std::vector<int>> nics_of;      ///< [gpu], see Cluster::nics_of
};

/// The widest of the paths of the fewest hops, through switches and sockets only.
/// Throws InputError where the parts are not all connected, and names one that is apart.
NodeRoutes find_routes(const NodeParts& node);

}  // namespace stepcast
