// How a group of GPUs lies on the cluster as NCCL would see it: nodes, NICs, channels, and what
// each algorithm's traffic puts on the links. The bytes and the time are models/collectives' job.
#pragma once

#include <span>
#include <vector>

#include "topology/channel_search.h"
#include "topology/cluster.h"
#include "topology/traffic.h"

namespace stepcast {

/// What the hops inside a node run over; decides NCCL's latencies and protocols.
enum class IntraTransport { None, NvLink, Pcie };

struct GroupLayout {
  int ranks = 1;
  int nodes = 1;
  int ranks_per_node = 1;  ///< the largest over the nodes
  IntraTransport intra = IntraTransport::None;
  bool crosses_network = false;
  int nics_per_node = 0;  ///< that the group's channels use; 0 on one node
  SearchedChannels ring;  ///< what NCCL's search finds, before it doubles channels
  SearchedChannels tree;
  bool nv_switch = false;         ///< inside nodes, so that NVLS may be
  bool reducing_network = false;  ///< the fabric's switches reduce (SHARP)
  Seconds nic_latency;            ///< as the network plugin reports it
  Transport transport = Transport::InfiniBand;
  CpuVendor cpu_vendor = CpuVendor::Amd;
  GpuArchitecture architecture = GpuArchitecture::Ampere;
  double host_cores = 0;  ///< of host layouts: the rank's share of its node's; 0: not stated
  PerTraffic<Traffic> traffic;

  const Traffic& of(TrafficKind kind) const { return traffic[index(kind)]; }
};

/// A group that is placed in part (few replicas stand for all) and where its nodes stand among all
/// of the group's: what trees between nodes need. Empty `number`: every node is placed.
struct NodesOfGroup {
  std::vector<int> number;  ///< [placed node of the group], ascending
  int total = 0;
};

/// The traffic of a group whose members pass their data node by node, in order inside a node.
///
///   rings   With several nodes there is one channel for each NIC that is nearest to a member in
///           every node; channel k's ring enters a node at the member that owns NIC k, passes all
///           members and leaves by NIC k again: through the owner, by NVLink, as PXN does, unless
///           the last member is as near to the NIC or there is no NVLink. Inside one node the
///           channels pass the members in order; on an NVLink mesh of up to 5 in every order, of
///           more at every distance.
///   trees   tree_traffic.h
///   others  switch_traffic.h, all_to_all_traffic.h (only where `all_to_all`, since it costs most)
///
/// Requires at least one GPU and no GPU twice.
GroupLayout layout_group(const Cluster& cluster, std::span<const GpuId> gpus,
                         bool all_to_all = true, const NodesOfGroup& nodes = {});

/// One message from one GPU to another: its ring is the route, or, between GPUs that have several
/// NICs each, one route (channel) for each pair of NICs. Requires different GPUs.
GroupLayout layout_pair(const Cluster& cluster, GpuId from, GpuId to);

/// A GPU's way to the memory of its socket, or from it: Cluster::host_route with weight 1.
GroupLayout layout_host_copy(const Cluster& cluster, GpuId gpu, bool to_host);

/// What the host's cores do in that memory for one GPU: both directions of its link, since memory
/// reads and writes over the same channels.
GroupLayout layout_host_memory(const Cluster& cluster, GpuId gpu);

}  // namespace stepcast
