// Groups on clusters of well-known machines, with NCCL's own constants.
#pragma once

#include <numeric>
#include <string>
#include <vector>

#include "models/collectives.h"

namespace stepcast {

/// NCCL's own figures, nothing fitted.
inline NetworkProfile plain_nccl(const std::string& version) {
  NetworkProfile network;
  network.nccl_version = version;
  network.latency_factor.value = 1;
  network.intra_latency_factor.value = 1;
  network.bandwidth_factor.value = 1;
  return network;
}

/// 8 GPUs on NVSwitches; GPUs and NICs at ports of their own, which never bind.
inline NodeSpec nvswitch_node(GpuArchitecture gpu, BytesPerSecond nvlink) {
  NodeSpec node;
  node.gpu.architecture = gpu;
  node.nvlink_bandwidth = nvlink;
  node.pcie_bandwidth = 100_GB_per_s;
  node.socket_bandwidth = 16_GB_per_s;
  node.host_memory_bandwidth = 320_GB_per_s;
  return node;
}

/// The first `ranks` GPUs of every node (0: all).
inline GroupLayout group_on(const NodeSpec& node, int nodes, const FabricSpec& fabric = {},
                            int ranks = 0) {
  const Cluster cluster({.node = node,
                         .nodes = nodes,
                         .gpus_per_node = ranks,
                         .fabric = fabric,
                         .faults = {},
                         .background = {}});
  std::vector<GpuId> gpus(static_cast<std::size_t>(cluster.num_gpus()));
  std::iota(gpus.begin(), gpus.end(), 0);
  return layout_group(cluster, gpus);
}

inline FabricSpec one_switch(int nics, BytesPerSecond usable) {
  FabricSpec fabric;
  fabric.layout = FabricLayout::SingleSwitch;
  fabric.nics_per_node = nics;
  fabric.nic_bandwidth = usable;
  fabric.nic_efficiency = 1;
  return fabric;
}

inline GroupLayout one_node(GpuArchitecture gpu, int ranks, BytesPerSecond nvlink) {
  return group_on(nvswitch_node(gpu, nvlink), 1, {}, ranks);
}

inline GroupLayout several_nodes(GpuArchitecture gpu, int nodes, int nics, BytesPerSecond nic,
                                 BytesPerSecond nvlink) {
  return group_on(nvswitch_node(gpu, nvlink), nodes, one_switch(nics, nic));
}

inline GroupLayout dgx_a100() { return one_node(GpuArchitecture::Ampere, 8, 240_GB_per_s); }

/// DGX A100 with eight HDR NICs.
inline GroupLayout dgx_a100_hdr(int nodes) {
  return several_nodes(GpuArchitecture::Ampere, nodes, 8, 24_GB_per_s, 240_GB_per_s);
}

/// p4d or p4de with four NICs of 100 Gbit/s and the latency that the AWS plugin reports.
inline GroupLayout p4d_efa(int nodes) {
  GroupLayout layout = several_nodes(GpuArchitecture::Ampere, nodes, 4, 12_GB_per_s, 240_GB_per_s);
  layout.transport = Transport::Efa;
  layout.nic_latency = 75_us;
  return layout;
}

inline GroupLayout dgx_h100_ndr(int nodes) {
  return several_nodes(GpuArchitecture::Hopper, nodes, 8, 48_GB_per_s, 370.8_GB_per_s);
}

/// The same on a network whose switches reduce.
inline GroupLayout dgx_h100_sharp(int nodes) {
  FabricSpec fabric = one_switch(8, 48_GB_per_s);
  fabric.sharp = true;
  return group_on(nvswitch_node(GpuArchitecture::Hopper, 370.8_GB_per_s), nodes, fabric);
}

/// One rank on each node, each with its own NIC.
inline GroupLayout rail(GpuArchitecture gpu, int nodes, BytesPerSecond nic) {
  return group_on(nvswitch_node(gpu, 240_GB_per_s), nodes, one_switch(1, nic), 1);
}

/// GPUs without NVLink, which meet at a socket.
inline GroupLayout pcie_group(int ranks) {
  NodeSpec node = nvswitch_node(GpuArchitecture::Ampere, {});
  node.interconnect = GpuInterconnect::Pcie;
  node.pcie_bandwidth = 24_GB_per_s;
  return group_on(node, 1, {}, ranks);
}

/// Two neighbours of a machine that is like that of a group's.
inline GroupLayout pair(const GroupLayout& like) {
  NodeSpec node = nvswitch_node(like.architecture, 240_GB_per_s);
  const int nodes = like.crosses_network ? 2 : 1;
  const Cluster cluster({.node = node,
                         .nodes = nodes,
                         .gpus_per_node = 0,
                         .fabric = one_switch(8, 24_GB_per_s),
                         .faults = {},
                         .background = {}});
  GroupLayout layout = layout_pair(cluster, 0, nodes == 2 ? 8 : 1);
  layout.nic_latency = like.nic_latency;
  return layout;
}

inline CollectiveCandidate best(CollectiveKind kind, Bytes message, const GroupLayout& layout,
                                const NetworkProfile& network) {
  return collective_candidates(kind, message, layout, network).front();
}

inline double all_reduce_us(Bytes message, const GroupLayout& layout,
                            const NetworkProfile& network) {
  return best(CollectiveKind::AllReduce, message, layout, network).time / 1_us;
}

}  // namespace stepcast
