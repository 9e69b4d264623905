// How a group of GPUs lies on the cluster as NCCL would see it: nodes, NICs, channels, and the
// links that one ring over the group crosses. The bytes and the time are models/collectives' job.
#pragma once

#include <span>
#include <vector>

#include "topology/cluster.h"

namespace stepcast {

/// A flow that crosses a link `weight` times takes that many shares of it.
struct WeightedLink {
  LinkId link;
  int weight;
  friend bool operator==(const WeightedLink&, const WeightedLink&) = default;
};

/// What the hops inside a node run over; decides NCCL's latencies and protocols.
enum class IntraTransport { None, NvLink, Pcie };

struct GroupLayout {
  int ranks = 1;
  int nodes = 1;
  int ranks_per_node = 1;  ///< the largest over the nodes
  IntraTransport intra = IntraTransport::None;
  bool crosses_network = false;
  int channels = 1;                        ///< rings side by side: see layout_group
  BytesPerSecond channel_bandwidth;        ///< one channel's pace when all run: min over links of
                                           ///< bandwidth / weight; 0 for a single rank
  BytesPerSecond intra_channel_bandwidth;  ///< the same over the hops from member to member inside
                                           ///< nodes; channel_bandwidth where there are none
  Seconds nic_latency;                     ///< as the network plugin reports it
  Transport transport = Transport::InfiniBand;
  CpuVendor cpu_vendor = CpuVendor::Amd;
  GpuArchitecture architecture = GpuArchitecture::Ampere;
  double host_cores = 0;  ///< of host layouts: the rank's share of its node's; 0: not stated
  std::vector<WeightedLink> ring;  ///< all channels' rings together, links ascending
};

/// Ring over `gpus` (node by node, GPUs in order inside a node).
///
/// With several nodes there is one channel for each NIC that is nearest to a member in every node;
/// channel k's ring enters a node at the member that owns NIC k, passes all members and leaves by
/// NIC k again: through the owner, by NVLink, as PXN does, unless the last member is as near to the
/// NIC or there is no NVLink. Where the nodes have no such NIC in common, channel k takes the k-th
/// NIC near to a member in each. On an NVLink mesh every other channel passes the members
/// backwards, as NCCL does to use both directions of the cables.
///
/// Inside one node there is one channel. On an NVLink mesh there are ranks - 1, which together take
/// every direct link alike: NCCL finds such sets of rings (four V100s: 6 rings of 20 GB/s, here 3
/// of 40 GB/s).
///
/// Requires at least one GPU and no GPU twice.
GroupLayout layout_group(const Cluster& cluster, std::span<const GpuId> gpus);

/// One message from one GPU to another: `ring` is the route with weight 1, or, between GPUs that
/// have several NICs each, one route (channel) for each pair of NICs. Requires different GPUs.
GroupLayout layout_pair(const Cluster& cluster, GpuId from, GpuId to);

/// A GPU's way to the memory of its socket, or from it: Cluster::host_route with weight 1.
GroupLayout layout_host_copy(const Cluster& cluster, GpuId gpu, bool to_host);

/// What the host's cores do in that memory for one GPU: both directions of its link, since memory
/// reads and writes over the same channels.
GroupLayout layout_host_memory(const Cluster& cluster, GpuId gpu);

}  // namespace stepcast
