#include "models/nccl_tuner.h"

#include <algorithm>
#include <cmath>

namespace stepcast {
namespace {

std::size_t index(Protocol protocol) { return static_cast<std::size_t>(protocol); }

bool gathers_or_scatters(CollectiveKind kind) {
  return kind == CollectiveKind::AllGather || kind == CollectiveKind::ReduceScatter;
}

bool point_to_point(CollectiveKind kind) {
  return kind == CollectiveKind::AllToAll || kind == CollectiveKind::SendReceive;
}

/// floor(log2 nodes): levels of a binary tree.
double halving_levels(int nodes) { return std::ilogb(nodes); }

int ring_steps(CollectiveKind kind, int ranks) {
  if (kind == CollectiveKind::AllReduce) return 2 * (ranks - 1);
  return gathers_or_scatters(kind) ? ranks - 1 : ranks;
}

/// Of a ring's steps, those that cross the network.
int network_steps(const TunedCollective& c) {
  const int nodes = c.layout.nodes;
  if (nodes == 1) return 0;
  if (c.kind != CollectiveKind::AllReduce) return nodes - 1;
  const int hops = c.release.counts_closing_hops ? 2 * nodes : 2 * (nodes - 1);
  return std::min(hops, ring_steps(c.kind, c.layout.ranks));
}

Seconds network_hop(const TunedCollective& c, Algorithm algorithm, Protocol protocol) {
  const bool one_gpu = c.layout.ranks == c.layout.nodes;
  const bool as_tree = algorithm == Algorithm::Tree || (one_gpu && c.release.one_gpu_uses_tree_hop);
  const HopLatencies& table = c.release.network;
  const Seconds hop = (as_tree ? table.tree : table.ring)[index(protocol)];
  const Seconds nic = c.layout.nic_latency;
  switch (c.release.nic_latency) {
    case NicLatency::Ignored:
      return hop;
    case NicLatency::Replaces:
      return nic > Seconds() ? nic : hop;
    case NicLatency::Added:
      break;
  }
  // Simple also waits for the flush that makes GPUDirect data visible.
  return hop + nic * (protocol == Protocol::Simple ? 2 : 1);
}

Seconds inside_hop(const TunedCollective& c, Algorithm algorithm, Protocol protocol) {
  const bool nvlink = c.layout.intra == IntraTransport::NvLink;
  const HopLatencies& table = nvlink ? c.release.nvlink : c.release.pcie;
  Seconds hop = (algorithm == Algorithm::Tree ? table.tree : table.ring)[index(protocol)];
  if (c.layout.nodes == 1) return hop;
  if (protocol == Protocol::LL) hop *= c.release.mixed_ll_hop;
  if (algorithm == Algorithm::Tree || !c.release.posting_overhead) return hop;
  const Seconds posting = posting_overhead(c.layout.cpu_vendor);
  return std::max(hop, posting * (protocol == Protocol::Simple ? 3 : 1));
}

Seconds one_hop(const TunedCollective& c, Algorithm algorithm, Protocol protocol) {
  return c.layout.nodes > 1 ? network_hop(c, algorithm, protocol)
                            : inside_hop(c, algorithm, protocol);
}

/// Simple rings over several nodes lose time once their pipeline is full.
bool on_plateau(const TunedCollective& c) {
  if (c.kind != CollectiveKind::AllReduce || c.layout.nodes == 1) return false;
  const double ranks = c.layout.ranks;
  if (!c.release.plateau_by_channel) return c.message >= 64_KiB * (ranks / 16);
  return c.message / (2.0 * c.layout.ring.count * ranks) >= 64_B;
}

Seconds ring_latency(const TunedCollective& c, Protocol protocol) {
  const int across = network_steps(c);
  const int inside = ring_steps(c.kind, c.layout.ranks) - across;
  const Seconds latency = c.release.base_ring[index(protocol)] +
                          inside * inside_hop(c, Algorithm::Ring, protocol) +
                          across * network_hop(c, Algorithm::Ring, protocol);
  if (protocol != Protocol::Simple || !on_plateau(c)) return latency;
  return latency * (c.layout.architecture == GpuArchitecture::Volta ? 1.9 : c.release.plateau);
}

/// A pipeline along the ring: its length counts only where the channels take different rings.
Seconds broadcast_latency(const TunedCollective& c, Protocol protocol) {
  const Seconds base = c.release.base_ring[index(protocol)];
  if (c.layout.nics_per_node <= 1) return base + one_hop(c, Algorithm::Ring, protocol);
  const bool chunks = protocol == Protocol::Simple;
  const Seconds hop = one_hop(c, chunks ? Algorithm::Tree : Algorithm::Ring, protocol);
  return base + ring_steps(c.kind, c.layout.ranks) * hop;
}

Seconds tree_latency(const TunedCollective& c, Protocol protocol) {
  const int inside = c.layout.ranks / c.layout.nodes - 1;
  const double levels = halving_levels(c.layout.nodes);
  return c.release.base_tree[index(protocol)] +
         2 * (inside * inside_hop(c, Algorithm::Tree, protocol) +
              levels * network_hop(c, Algorithm::Tree, protocol));
}

Seconds point_to_point_latency(const TunedCollective& c, Protocol protocol) {
  constexpr int kPeersAtOnce = 8;
  const int peers = c.kind == CollectiveKind::AllToAll ? c.layout.ranks - 1 : 1;
  const int rounds = (peers + kPeersAtOnce - 1) / kPeersAtOnce;
  return c.release.base_ring[index(protocol)] + rounds * one_hop(c, Algorithm::Ring, protocol);
}

/// The channels that the scenario leaves, two running for each that the search found.
int channels_of(const TunedCollective& c, const SearchedChannels& found) {
  const std::optional<int>& forced = c.network.nccl.channels;
  return forced ? std::min(found.count, std::max(1, *forced / 2)) : found.count;
}

/// What few forced channels, or the CPU threads that serve sockets, leave of the bus.
BytesPerSecond limited_bus(const TunedCollective& c, BytesPerSecond bus) {
  const NcclChoice& choice = c.network.nccl;
  if (choice.channels) bus = std::min(bus, *choice.channels * channel_cap(c.layout.architecture));
  const BytesPerSecond thread = c.network.socket_thread.value;
  if (!c.layout.crosses_network || thread == BytesPerSecond()) return bus;
  // Without helper threads the one proxy of a process serves its NIC; else each running channel's
  // connection has its own.
  const int threads = choice.socket_threads ? 2 * c.layout.ring.count * *choice.socket_threads
                                            : std::max(1, c.layout.nics_per_node);
  return std::min(bus, threads * thread);
}

/// All channels at the pace that the search found for them. Trees over two nodes run at the pace
/// inside the nodes, which the search lets be twice that of the NICs.
BytesPerSecond channels_bandwidth(const TunedCollective& c, const SearchedChannels& found) {
  const BytesPerSecond pace = c.layout.nodes <= 2 ? found.intra : found.inter;
  const BytesPerSecond bus = found.count * pace;
  const BytesPerSecond cap = c.release.ampere_bus_cap;
  const bool capped = c.layout.architecture == GpuArchitecture::Ampere && cap.value() > 0;
  return limited_bus(c, capped ? std::min(bus, cap) : bus);
}

BytesPerSecond ring_bus(const TunedCollective& c, Protocol protocol) {
  const BytesPerSecond bus = channels_bandwidth(c, c.layout.ring);
  const NcclRelease& release = c.release;
  switch (protocol) {
    case Protocol::LL: {
      const bool gather = gathers_or_scatters(c.kind) && c.layout.nodes == 1;
      const double share = gather ? release.ring_ll_share_gather : release.ring_ll_share;
      return std::min(share * bus, ll_cap(release, c.layout));
    }
    case Protocol::LL128: {
      const bool one_gpu = c.layout.ranks < 2 * c.layout.nodes;
      const double share = one_gpu ? release.ring_ll128_share_one_gpu : 0.92;
      return std::min(share * bus, channels_of(c, c.layout.ring) *
                                       ring_ll128_channel_cap(c.layout.architecture));
    }
    case Protocol::Simple:
      break;
  }
  return bus;
}

BytesPerSecond tree_bus(const TunedCollective& c, Protocol protocol) {
  const int channels = channels_of(c, c.layout.tree);
  const int nodes = c.layout.nodes;
  const GpuArchitecture gpu = c.layout.architecture;
  const BytesPerSecond bus = std::min(0.92 * channels_bandwidth(c, c.layout.tree),
                                      channels * tree_channel_cap(gpu, nodes));
  switch (protocol) {
    case Protocol::LL:
      return std::min(bus / 3.8, ll_cap(c.release, c.layout));
    case Protocol::LL128: {
      const double share = nodes == 1 ? 7.0 / 9 : 120.0 / 128;
      return std::min(share * bus, channels * tree_ll128_channel_cap(gpu, nodes));
    }
    case Protocol::Simple:
      break;
  }
  return bus;
}

/// Algorithms in which switches reduce run Simple all-reduces only.
bool allows_reducing(const TunedCollective& c, Protocol protocol) {
  return c.kind == CollectiveKind::AllReduce && protocol == Protocol::Simple;
}

bool allows_nvls(const TunedCollective& c, Protocol protocol) {
  if (!allows_reducing(c, protocol) || !c.release.has_nvls || !c.layout.nv_switch) return false;
  // Read off tuning tables in logs: from 5 ranks on H200, from 6 on B200.
  switch (c.layout.architecture) {
    case GpuArchitecture::Volta:
    case GpuArchitecture::Ampere:
      return false;
    case GpuArchitecture::Hopper:
      return c.layout.ranks_per_node > 4;
    case GpuArchitecture::Blackwell:
      break;
  }
  return c.layout.ranks_per_node > 5;
}

bool allows_collnet(const TunedCollective& c, Protocol protocol) {
  return allows_reducing(c, protocol) && c.release.has_collnet && c.layout.reducing_network &&
         c.layout.nodes > 1;
}

Seconds nvls_tree_latency(const TunedCollective& c) {
  const SwitchLatencies& table = c.release.nvls_tree;
  const double steps =
      c.release.nvls_tree_by_nodes ? c.layout.nodes - 1 : halving_levels(c.layout.nodes);
  return table.base + table.inside + 2 * steps * table.network;
}

Seconds collnet_latency(const TunedCollective& c) {
  const SwitchLatencies& table = c.release.collnet;
  const int others = c.layout.ranks_per_node - 1;
  return table.base + 2 * (std::min(1, others) * table.inside + others * c.release.collnet_copy) +
         table.network;
}

/// [channels] heads, each at the lower of its paces inside and between nodes.
BytesPerSecond nvls_bandwidth(const TunedCollective& c) {
  const SearchedChannels& found = c.layout.nodes > 1 ? c.layout.tree : c.layout.ring;
  return limited_bus(c, found.count * std::min(found.intra, found.inter)) * (5.0 / 6);
}

BytesPerSecond nvls_tree_bandwidth(const TunedCollective& c) {
  const SearchedChannels& found = c.layout.tree;
  const double nodes = c.layout.nodes;
  const BytesPerSecond between = nodes <= 2 ? found.inter : found.inter / 2;
  const BytesPerSecond bus = limited_bus(c, found.count * std::min(found.intra, between));
  return bus * (c.release.nvls_tree_by_nodes ? 0.7 * nodes / (2 * (nodes - 1)) : 5.0 / 6);
}

/// A head gathers what the other GPUs of its node send it: `others` shares for each of its own.
BytesPerSecond collnet_bandwidth(const TunedCollective& c) {
  const SearchedChannels& found = c.layout.tree;
  const double share = 1.0 * c.layout.ranks_per_node / found.count;
  const bool hopper = c.layout.architecture == GpuArchitecture::Hopper;
  const BytesPerSecond bus = limited_bus(c, found.count * found.intra);
  return bus / (share - (share - 1) / 2) * (hopper ? 0.85 : 1.0) / 2;
}

/// Of the message, when only the links limit; LL reaches a ring's share of it.
BytesPerSecond point_to_point_bandwidth(const TunedCollective& c, Protocol protocol) {
  const Traffic& traffic = c.layout.of(traffic_of(c.kind, Algorithm::PointToPoint));
  const BytesPerSecond bus = limited_bus(c, traffic.pace * traffic.units);
  if (protocol == Protocol::Simple) return bus;
  return std::min(c.release.ring_ll_share * bus, ll_cap(c.release, c.layout));
}

}  // namespace

bool tuner_allows(const TunedCollective& c, Algorithm algorithm, Protocol protocol) {
  if (point_to_point(c.kind) != (algorithm == Algorithm::PointToPoint)) return false;
  const bool several = c.layout.nodes > 1;
  if (algorithm == Algorithm::Nvls) {
    return allows_nvls(c, protocol) && (!several || c.layout.reducing_network);
  }
  if (algorithm == Algorithm::NvlsTree) return several && allows_nvls(c, protocol);
  if (algorithm == Algorithm::CollNetDirect) return allows_collnet(c, protocol);
  if (algorithm == Algorithm::Tree && c.kind != CollectiveKind::AllReduce) return false;
  if (protocol != Protocol::LL128) return true;
  if (algorithm == Algorithm::PointToPoint || c.layout.intra == IntraTransport::Pcie) return false;
  return c.network.ll128 || !c.layout.crosses_network;
}

Seconds tuner_latency(const TunedCollective& c, Algorithm algorithm, Protocol protocol) {
  switch (algorithm) {
    case Algorithm::Tree:
      return tree_latency(c, protocol);
    case Algorithm::Nvls:
      return c.release.nvls.base + c.release.nvls.inside +
             (c.layout.nodes > 1 ? c.release.nvls.network : Seconds());
    case Algorithm::NvlsTree:
      return nvls_tree_latency(c);
    case Algorithm::CollNetDirect:
      return collnet_latency(c);
    case Algorithm::PointToPoint:
      return point_to_point_latency(c, protocol);
    case Algorithm::Ring:
      break;
  }
  return c.kind == CollectiveKind::Broadcast ? broadcast_latency(c, protocol)
                                             : ring_latency(c, protocol);
}

BytesPerSecond tuner_bandwidth(const TunedCollective& c, Algorithm algorithm, Protocol protocol) {
  switch (algorithm) {
    case Algorithm::Tree:
      return tree_bus(c, protocol) / 2 * tree_correction(index(protocol), c.message);
    case Algorithm::Nvls:
      return nvls_bandwidth(c);
    case Algorithm::NvlsTree:
      return nvls_tree_bandwidth(c);
    case Algorithm::CollNetDirect:
      return collnet_bandwidth(c);
    case Algorithm::PointToPoint:
      return point_to_point_bandwidth(c, protocol);
    case Algorithm::Ring:
      break;
  }
  return ring_bus(c, protocol) / wire_share(c.kind, algorithm, c.layout.ranks);
}

double wire_share(CollectiveKind kind, Algorithm algorithm, int ranks) {
  return algorithm == Algorithm::Ring ? bus_factor(kind, ranks) : 1;
}

}  // namespace stepcast
