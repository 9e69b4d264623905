#include <algorithm>

#include "topology/fabric.h"

namespace stepcast {

namespace {

std::string numbered(const std::string& name, int number) { return name + std::to_string(number); }

int rounded_up(int count, int size) { return (count + size - 1) / size; }

int leaf_number(const FabricSpec& spec, int node, int nic) {
  switch (spec.layout) {
    case FabricLayout::FatTree:
      return node / spec.nodes_per_leaf;
    case FabricLayout::RailOptimized:
      return node / spec.nodes_per_leaf * spec.nics_per_node + nic;
    default:
      return 0;
  }
}

int leaves_for(const FabricSpec& spec, int nodes) {
  return leaf_number(spec, nodes - 1, spec.nics_per_node - 1) + 1;
}

BytesPerSecond uplink_bandwidth(const FabricSpec& spec, BytesPerSecond nic) {
  const bool rails = spec.layout == FabricLayout::RailOptimized;
  const int nics_per_leaf = rails ? spec.nodes_per_leaf : spec.nodes_per_leaf * spec.nics_per_node;
  return nic * nics_per_leaf / spec.oversubscription;
}

/// One layer's cables upwards: [switch][plane] -> link up; the next one leads down.
using Uplinks = std::vector<std::vector<int>>;

/// Every leaf to the spines of its pod, one in each plane.
Uplinks add_spines(Fabric& fabric, int leaves, int leaves_per_pod, int planes,
                   BytesPerSecond bandwidth, std::vector<std::vector<int>>& spines) {
  const int pods = rounded_up(leaves, leaves_per_pod);
  for (int pod = 0; pod < pods; ++pod) {
    std::vector<int>& of_pod = spines.emplace_back();
    const std::string prefix = pods > 1 ? numbered("pod", pod) + "." : "";
    for (int plane = 0; plane < planes; ++plane) {
      of_pod.push_back(
          fabric.add_switch(prefix + (planes > 1 ? numbered("spine", plane) : "spine")));
    }
  }
  Uplinks up;
  for (int leaf = 0; leaf < leaves; ++leaf) {
    std::vector<int>& cables = up.emplace_back();
    for (const int spine : spines[static_cast<std::size_t>(leaf / leaves_per_pod)]) {
      cables.push_back(fabric.add_cable(leaf, spine, bandwidth / planes));
    }
  }
  return up;
}

Uplinks add_core(Fabric& fabric, const std::vector<std::vector<int>>& spines, int planes,
                 BytesPerSecond bandwidth) {
  std::vector<int> cores;
  for (int plane = 0; plane < planes; ++plane) {
    cores.push_back(fabric.add_switch(planes > 1 ? numbered("core", plane) : "core"));
  }
  Uplinks up;
  for (const std::vector<int>& of_pod : spines) {
    std::vector<int>& cables = up.emplace_back();
    for (std::size_t plane = 0; plane < cores.size(); ++plane) {
      cables.push_back(fabric.add_cable(of_pod[plane], cores[plane], bandwidth / planes));
    }
  }
  return up;
}

}  // namespace

Fabric build_switch_tree(const FabricSpec& spec, int nodes) {
  Fabric fabric;
  fabric.nics_per_node = spec.nics_per_node;
  fabric.nic_bandwidth = spec.nic_bandwidth * spec.nic_efficiency;
  const int leaves = leaves_for(spec, nodes);
  const bool one_switch = spec.layout == FabricLayout::SingleSwitch;
  for (int leaf = 0; leaf < leaves; ++leaf) {
    fabric.add_switch(one_switch ? "switch" : numbered("leaf", leaf));
  }
  for (int node = 0; node < nodes; ++node) {
    for (int nic = 0; nic < spec.nics_per_node; ++nic) {
      fabric.leaf_of_nic.push_back(leaf_number(spec, node, nic));
    }
  }
  if (leaves == 1) {  // a lone leaf needs no spine
    fabric.path = [](int, int, std::uint64_t) { return std::vector<int>(); };
    return fabric;
  }
  const int planes = std::max(1, spec.equal_cost_paths);
  const int leaves_per_pod = spec.leaves_per_pod > 0 ? spec.leaves_per_pod : leaves;
  const BytesPerSecond uplink = uplink_bandwidth(spec, fabric.nic_bandwidth);
  std::vector<std::vector<int>> spines;
  const Uplinks to_spine = add_spines(fabric, leaves, leaves_per_pod, planes, uplink, spines);
  Uplinks to_core(spines.size());
  if (spines.size() > 1) {
    to_core = add_core(fabric, spines, planes, uplink * leaves_per_pod / spec.pod_oversubscription);
  }
  fabric.path = [=](int from, int to, std::uint64_t key) {
    std::vector<int> path;
    if (from == to) return path;
    const auto plane = static_cast<std::size_t>(key % static_cast<std::uint64_t>(planes));
    const auto cable = [plane](const Uplinks& up, int place) {
      return up[static_cast<std::size_t>(place)][plane];
    };
    const int pod_from = from / leaves_per_pod;
    const int pod_to = to / leaves_per_pod;
    path.push_back(cable(to_spine, from));
    if (pod_from != pod_to) {
      path.push_back(cable(to_core, pod_from));
      path.push_back(cable(to_core, pod_to) + 1);
    }
    path.push_back(cable(to_spine, to) + 1);
    return path;
  };
  return fabric;
}

}  // namespace stepcast
