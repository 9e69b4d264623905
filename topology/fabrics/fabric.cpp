#include "topology/fabric.h"

#include <utility>

#include "base/contract.h"

namespace stepcast {

int Fabric::add_switch(std::string name) {
  switches.push_back(std::move(name));
  return static_cast<int>(switches.size()) - 1;
}

int Fabric::add_cable(int a, int b, BytesPerSecond bandwidth) {
  links.push_back({a, b, bandwidth});
  links.push_back({b, a, bandwidth});
  return static_cast<int>(links.size()) - 2;
}

Fabric build_fabric(const FabricSpec& spec, int nodes) {
  STEPCAST_REQUIRES(nodes >= 2);
  STEPCAST_REQUIRES(spec.nics_per_node >= 1 && spec.nodes_per_leaf >= 1);
  STEPCAST_REQUIRES(spec.oversubscription > 0 && spec.nic_bandwidth > BytesPerSecond());
  switch (spec.layout) {
    case FabricLayout::Dragonfly:
      return build_dragonfly(spec, nodes);
    case FabricLayout::Torus:
      return build_torus(spec, nodes);
    case FabricLayout::RailOptimized:
    case FabricLayout::FatTree:
    case FabricLayout::SingleSwitch:
      break;
  }
  return build_switch_tree(spec, nodes);
}

}  // namespace stepcast
