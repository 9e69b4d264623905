#include "topology/fabric.h"

#include "base/contract.h"

namespace stepcast {

namespace {

int leaves_for(const FabricSpec& spec, int nodes) {
  if (spec.layout == FabricLayout::SingleSwitch) return 1;
  const int pods = (nodes + spec.nodes_per_leaf - 1) / spec.nodes_per_leaf;
  return spec.layout == FabricLayout::RailOptimized ? pods * spec.nics_per_node : pods;
}

}  // namespace

Fabric::Fabric(const FabricSpec& spec, int nodes) : spec_(spec) {
  STEPCAST_REQUIRES(nodes >= 2);
  STEPCAST_REQUIRES(spec.nics_per_node >= 1 && spec.nodes_per_leaf >= 1);
  STEPCAST_REQUIRES(spec.oversubscription > 0);
  num_leaves_ = leaves_for(spec, nodes);
}

int Fabric::leaf_of(int node, int nic) const {
  switch (spec_.layout) {
    case FabricLayout::SingleSwitch:
      return 0;
    case FabricLayout::FatTree:
      return node / spec_.nodes_per_leaf;
    case FabricLayout::RailOptimized:
      break;
  }
  return node / spec_.nodes_per_leaf * spec_.nics_per_node + nic;
}

std::string Fabric::leaf_name(int leaf) const {
  if (spec_.layout == FabricLayout::SingleSwitch) return "switch";
  return "leaf" + std::to_string(leaf);
}

BytesPerSecond Fabric::uplink_bandwidth() const {
  const int nics_per_leaf = spec_.layout == FabricLayout::RailOptimized
                                ? spec_.nodes_per_leaf
                                : spec_.nodes_per_leaf * spec_.nics_per_node;
  return nic_bandwidth() * nics_per_leaf / spec_.oversubscription;
}

}  // namespace stepcast
