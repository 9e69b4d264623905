// NCCL's own constants, by release: latencies, shares and caps of its tuner. How they enter a time
// is nccl_tuner.h's job.
#pragma once

#include <array>
#include <string_view>

#include "base/units.h"
#include "topology/group_layout.h"

namespace stepcast {

/// One value for each protocol: [LL, LL128, Simple].
template <class Value>
using PerProtocol = std::array<Value, 3>;

/// Latency of one hop over a kind of link.
struct HopLatencies {
  PerProtocol<Seconds> tree;
  PerProtocol<Seconds> ring;
};

/// Latency of an algorithm in which switches reduce: its fixed part, its part inside nodes, and one
/// step between them.
struct SwitchLatencies {
  Seconds base, inside, network;
};

/// What the latency that the network's plugin reports does to a network hop's own.
enum class NicLatency { Ignored, Replaces, Added };

/// What changed between releases.
struct NcclRelease {
  std::string_view version;
  PerProtocol<Seconds> base_tree;  ///< fixed part of a collective
  PerProtocol<Seconds> base_ring;
  HopLatencies nvlink, pcie, network;
  double ring_ll_share;             ///< of the bus bandwidth that LL reaches on a ring
  double ring_ll_share_gather;      ///< the same for all-gather and reduce-scatter on one node
  double ring_ll128_share_one_gpu;  ///< of LL128 on a ring with one rank a node
  double mixed_ll_hop;       ///< factor on LL hops inside nodes when others cross the network
  bool counts_closing_hops;  ///< an all-reduce ring has 2 N network hops, not 2 (N - 1)
  bool posting_overhead;     ///< hops inside nodes wait for the proxy that serves the NIC
  NicLatency nic_latency;
  bool one_gpu_uses_tree_hop;     ///< with one rank a node rings pay the tree's network hop
  bool plateau_by_channel;        ///< a ring's plateau begins by bytes per channel and rank
  double plateau;                 ///< factor on the latency of Simple rings beyond it
  BytesPerSecond ampere_bus_cap;  ///< 0: none
  bool has_nvls;
  SwitchLatencies nvls, nvls_tree;
  bool nvls_tree_by_nodes;  ///< 2 (N - 1) network steps and 0.7 N / (2 (N - 1)) of the bus, not 2
                            ///< floor(log2 N) and 5/6
  bool has_collnet;         ///< its constants are known
  SwitchLatencies collnet;
  Seconds collnet_copy;  ///< per further GPU of a node
};

/// The release at or next below `version` ("2.26", "2.18.3") of those whose constants are known:
/// 2.10, 2.12, 2.18, 2.19 (as 2.20 and 2.21) and 2.27; before 2.10, that. Empty: the one that was
/// current when GPUs of this architecture were (Volta 2.10, Ampere 2.18, later ones 2.27). Requires
/// a version of the form 2.x or 2.x.y. Source: NVIDIA/nccl, src/graph/tuning.cc at v2.10.3-1,
/// v2.12.12-1, v2.18.3-1, v2.19.3-1 and v2.27.3-1.
const NcclRelease& nccl_release(std::string_view version, GpuArchitecture architecture);
bool knows_nccl_release(std::string_view version);

/// The most that one channel's threads move (same source).
BytesPerSecond ring_ll128_channel_cap(GpuArchitecture architecture);
BytesPerSecond tree_channel_cap(GpuArchitecture architecture, int nodes);
BytesPerSecond tree_ll128_channel_cap(GpuArchitecture architecture, int nodes);

/// The most that one running channel's threads move of Simple, where channels are few.
BytesPerSecond channel_cap(GpuArchitecture architecture);

/// The most that LL moves over all channels: on one node by GPU, on several by the host's CPU,
/// whose proxy copies LL's lines.
BytesPerSecond ll_cap(const NcclRelease& release, const GroupLayout& layout);

/// Time after which a hop inside a node may follow, in rings that cross the network; three times
/// that for Simple. Source: NCCL_NET_OVERHEAD, src/graph/tuning.cc at v2.18.3-1.
Seconds posting_overhead(CpuVendor vendor);

/// Trees do not keep to the model at middle sizes: NCCL multiplies their bandwidth by a factor for
/// each power of two from 64 B on; 1 beyond the table. `protocol`: 0 LL, 1 LL128, 2 Simple.
double tree_correction(std::size_t protocol, Bytes message);

}  // namespace stepcast
