// Hardware to test topologies with: round numbers close to real machines, so that what a link
// carries can be worked out by hand.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "topology/cluster.h"

namespace stepcast::test {

/// 8 GPUs on NVSwitches (240 GB/s), two GPUs and their NICs on each PCIe switch.
inline NodeSpec nvswitch_node() {
  NodeSpec node;
  node.gpus = 8;
  node.interconnect = GpuInterconnect::NvSwitch;
  node.nvlink_bandwidth = 240_GB_per_s;
  node.pcie_bandwidth = 24_GB_per_s;
  node.gpus_per_pcie_switch = 2;
  node.pcie_switch_bandwidth = 24_GB_per_s;
  node.sockets = 2;
  node.socket_bandwidth = 16_GB_per_s;
  node.host_memory_bandwidth = 320_GB_per_s;
  return node;
}

/// The same with every GPU and NIC at a port of its own (48 GB/s).
inline NodeSpec direct_node() {
  NodeSpec node = nvswitch_node();
  node.pcie_bandwidth = 48_GB_per_s;
  node.gpus_per_pcie_switch = 1;
  return node;
}

/// 8 GPUs, four on each of two PCIe switches, no NVLink.
inline NodeSpec pcie_node() {
  NodeSpec node = nvswitch_node();
  node.interconnect = GpuInterconnect::Pcie;
  node.nvlink_bandwidth = {};
  node.gpus_per_pcie_switch = 4;
  return node;
}

/// 4 GPUs with a direct link of 40 GB/s between every two, two on each PCIe switch (12 GB/s).
inline NodeSpec mesh_node() {
  NodeSpec node = nvswitch_node();
  node.gpus = 4;
  node.interconnect = GpuInterconnect::NvLinkMesh;
  node.nvlink_bandwidth = 120_GB_per_s;
  node.pcie_bandwidth = 12_GB_per_s;
  node.pcie_switch_bandwidth = 12_GB_per_s;
  return node;
}

/// NICs of 25 GB/s (24 of them usable), or of 12.5 GB/s (12), 32 nodes a leaf.
inline FabricSpec fabric(FabricLayout layout, int nics, BytesPerSecond nic_bandwidth) {
  FabricSpec spec;
  spec.layout = layout;
  spec.nics_per_node = nics;
  spec.nic_bandwidth = nic_bandwidth;
  spec.nic_efficiency = 0.96;
  return spec;
}

inline FabricSpec rails() { return fabric(FabricLayout::RailOptimized, 8, 200_Gbit_per_s); }

inline Cluster cluster_of(int nodes, const NodeSpec& node, const FabricSpec& network = rails()) {
  return Cluster({.node = node,
                  .nodes = nodes,
                  .gpus_per_node = 0,
                  .fabric = network,
                  .faults = {},
                  .background = {}});
}

inline std::vector<std::string> names(const Cluster& cluster, const std::vector<LinkId>& route) {
  std::vector<std::string> found;
  found.reserve(route.size());
  for (const LinkId id : route) {
    found.push_back(cluster.links()[static_cast<std::size_t>(id)].name);
  }
  return found;
}

/// Requires a link of that name.
inline const Link& link_named(const Cluster& cluster, const std::string& name) {
  for (const Link& link : cluster.links()) {
    if (link.name == name) return link;
  }
  throw std::invalid_argument("no link " + name);
}

}  // namespace stepcast::test
