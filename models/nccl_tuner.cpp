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
  if (!c.release.adds_nic_latency) return hop;
  // Simple also waits for the flush that makes GPUDirect data visible.
  return hop + c.layout.nic_latency * (protocol == Protocol::Simple ? 2 : 1);
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
  return c.message / (2.0 * search_channels(c.layout) * ranks) >= 64_B;
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
  if (c.layout.channels == 1) return base + one_hop(c, Algorithm::Ring, protocol);
  const bool chunks = protocol == Protocol::Simple;
  const Seconds hop = one_hop(c, chunks ? Algorithm::Tree : Algorithm::Ring, protocol);
  return base + ring_steps(c.kind, c.layout.ranks) * hop;
}

Seconds tree_latency(const TunedCollective& c, Protocol protocol) {
  const int inside = c.layout.ranks / c.layout.nodes - 1;
  const int levels = std::ilogb(c.layout.nodes);
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

/// All channels at the pace that the search found for them. Trees over two nodes run at the pace
/// inside the nodes, which the search lets be twice that of the NICs.
BytesPerSecond channels_bandwidth(const TunedCollective& c, Algorithm algorithm) {
  const GroupLayout& layout = c.layout;
  BytesPerSecond channel = layout.channel_bandwidth;
  if (algorithm == Algorithm::Tree && layout.nodes <= 2) {
    channel = std::min(layout.intra_channel_bandwidth, 2 * channel);
  }
  const BytesPerSecond bus = layout.channels * channel;
  const BytesPerSecond cap = c.release.ampere_bus_cap;
  const bool capped = layout.architecture == GpuArchitecture::Ampere && cap.value() > 0;
  return capped ? std::min(bus, cap) : bus;
}

BytesPerSecond ring_bus(const TunedCollective& c, Protocol protocol) {
  const BytesPerSecond bus = channels_bandwidth(c, Algorithm::Ring);
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
      return std::min(share * bus,
                      search_channels(c.layout) * ring_ll128_channel_cap(c.layout.architecture));
    }
    case Protocol::Simple:
      break;
  }
  return bus;
}

BytesPerSecond tree_bus(const TunedCollective& c, Protocol protocol) {
  const int channels = search_channels(c.layout);
  const int nodes = c.layout.nodes;
  const GpuArchitecture gpu = c.layout.architecture;
  const BytesPerSecond bus = std::min(0.92 * channels_bandwidth(c, Algorithm::Tree),
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

bool allows_nvls(const TunedCollective& c, Protocol protocol) {
  if (c.kind != CollectiveKind::AllReduce || protocol != Protocol::Simple) return false;
  if (c.layout.nodes > 1 || c.layout.intra != IntraTransport::NvLink) return false;
  if (c.release.nvls_latency.value() == 0) return false;
  // Read off tuning tables in logs: from 5 ranks on H200, from 6 on B200.
  switch (c.layout.architecture) {
    case GpuArchitecture::Volta:
    case GpuArchitecture::Ampere:
      return false;
    case GpuArchitecture::Hopper:
      return c.layout.ranks > 4;
    case GpuArchitecture::Blackwell:
      break;
  }
  return c.layout.ranks > 5;
}

}  // namespace

int search_channels(const GroupLayout& layout) {
  const bool before_hopper = layout.architecture == GpuArchitecture::Volta ||
                             layout.architecture == GpuArchitecture::Ampere;
  if (layout.crosses_network) {
    const bool halved = before_hopper && layout.channel_bandwidth >= 25_GB_per_s;
    return halved ? 2 * layout.channels : layout.channels;
  }
  if (layout.intra != IntraTransport::NvLink) return 1;
  const bool hopper = layout.architecture == GpuArchitecture::Hopper;
  const BytesPerSecond rung = before_hopper ? 20_GB_per_s : hopper ? 30_GB_per_s : 90_GB_per_s;
  const double rings = layout.channels * layout.channel_bandwidth / rung;
  return std::max(1, static_cast<int>(std::lround(rings)));
}

bool tuner_allows(const TunedCollective& c, Algorithm algorithm, Protocol protocol) {
  if (point_to_point(c.kind) != (algorithm == Algorithm::PointToPoint)) return false;
  if (algorithm == Algorithm::Nvls) return allows_nvls(c, protocol);
  if (algorithm == Algorithm::Tree && c.kind != CollectiveKind::AllReduce) return false;
  if (protocol != Protocol::LL128) return true;
  if (algorithm == Algorithm::PointToPoint || c.layout.intra == IntraTransport::Pcie) return false;
  return c.ll128_over_network || !c.layout.crosses_network;
}

Seconds tuner_latency(const TunedCollective& c, Algorithm algorithm, Protocol protocol) {
  switch (algorithm) {
    case Algorithm::Tree:
      return tree_latency(c, protocol);
    case Algorithm::Nvls:
      return c.release.nvls_latency;
    case Algorithm::PointToPoint:
      return point_to_point_latency(c, protocol);
    case Algorithm::Ring:
      break;
  }
  return c.kind == CollectiveKind::Broadcast ? broadcast_latency(c, protocol)
                                             : ring_latency(c, protocol);
}

BytesPerSecond tuner_bandwidth(const TunedCollective& c, Algorithm algorithm, Protocol protocol) {
  const double share = wire_share(c.kind, algorithm, c.layout);
  switch (algorithm) {
    case Algorithm::Tree:
      return tree_bus(c, protocol) / share * tree_correction(index(protocol), c.message);
    case Algorithm::Nvls:
      return channels_bandwidth(c, algorithm) * (5.0 / 6);
    case Algorithm::Ring:
    case Algorithm::PointToPoint:
      break;
  }
  return ring_bus(c, protocol) / share;
}

BytesPerSecond links_bandwidth(const TunedCollective& c, Algorithm algorithm) {
  const bool tree_over_two = algorithm == Algorithm::Tree && c.layout.nodes == 2;
  const double share = tree_over_two ? 1 : wire_share(c.kind, algorithm, c.layout);
  return c.layout.channels * c.layout.channel_bandwidth / share;
}

double wire_share(CollectiveKind kind, Algorithm algorithm, const GroupLayout& layout) {
  const double ranks = layout.ranks;
  if (algorithm == Algorithm::Tree) return 2;
  if (algorithm == Algorithm::Nvls) return (ranks + 1) / ranks;
  if (kind == CollectiveKind::AllToAll && layout.nodes > 1) {
    return layout.ranks_per_node * (ranks - layout.ranks_per_node) / ranks;
  }
  return bus_factor(kind, layout.ranks);
}

}  // namespace stepcast
