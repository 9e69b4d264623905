#include "topology/group_layout.h"

#include <algorithm>
#include <utility>

#include "base/contract.h"
#include "topology/all_to_all_traffic.h"
#include "topology/group_nodes.h"
#include "topology/switch_traffic.h"
#include "topology/tree_traffic.h"

namespace stepcast {

namespace {

/// Whether a channel's last member hands the ring to the NIC itself: without NVLink, or as near to
/// it as the NIC's owner. Else the owner does (PXN).
GpuId exit_of(const Cluster& cluster, const std::vector<GpuId>& chain, int nic) {
  const bool nvlink = cluster.spec().node.interconnect != GpuInterconnect::Pcie;
  return !nvlink || near_nic(cluster, chain.back(), nic) ? chain.back() : chain.front();
}

void add_chain(const Cluster& cluster, const std::vector<GpuId>& chain, int copies,
               LinkTally& tally) {
  for (std::size_t i = 1; i < chain.size(); ++i) {
    tally.add(cluster.route(chain[i - 1], chain[i]), copies);
  }
}

/// Channel `channel` through one node, its NIC's cable included.
ChannelWay way_through(const Cluster& cluster, const NodeMembers& node, std::size_t channel) {
  const std::vector<GpuId> chain = chain_of(cluster, node, channel);
  const int nic = node.nics[channel];
  LinkTally hops;
  add_chain(cluster, chain, 1, hops);
  LinkTally links = hops;
  links.add(cluster.nic_entry(chain.front(), nic));
  links.add(cluster.nic_exit(exit_of(cluster, chain, nic), nic));
  return {chain, links.links(), hops.links()};
}

std::vector<ChannelWay> ways_by_nics(const Cluster& cluster, const NodeMembers& node) {
  std::vector<ChannelWay> ways;
  for (std::size_t channel = 0; channel < node.nics.size(); ++channel) {
    ways.push_back(way_through(cluster, node, channel));
  }
  return ways;
}

ChannelWay ring_through(const Cluster& cluster, const std::vector<GpuId>& order) {
  LinkTally tally;
  for (std::size_t i = 0; i < order.size(); ++i) {
    tally.add(cluster.route(order[i], order[(i + 1) % order.size()]));
  }
  return {order, tally.links(), tally.links()};
}

/// Every order of few GPUs that begins with the first.
std::vector<ChannelWay> ways_in_every_order(const Cluster& cluster, std::vector<GpuId> gpus) {
  std::vector<ChannelWay> ways;
  do {
    ways.push_back(ring_through(cluster, gpus));
  } while (std::next_permutation(gpus.begin() + 1, gpus.end()));
  return ways;
}

/// Rings to the GPU `stride` further on, where that passes all of them.
std::vector<ChannelWay> ways_at_every_distance(const Cluster& cluster,
                                               const std::vector<GpuId>& gpus) {
  std::vector<ChannelWay> ways;
  for (std::size_t stride = 1; stride < gpus.size(); ++stride) {
    std::vector<GpuId> order{gpus.front()};
    for (std::size_t at = stride; at != 0; at = (at + stride) % gpus.size()) {
      order.push_back(gpus[at]);
    }
    if (order.size() == gpus.size()) ways.push_back(ring_through(cluster, order));
  }
  return ways;
}

std::vector<ChannelWay> ways_inside(const Cluster& cluster, const std::vector<GpuId>& gpus) {
  constexpr std::size_t kFew = 5;
  if (cluster.spec().node.interconnect != GpuInterconnect::NvLinkMesh) {
    return {ring_through(cluster, gpus)};
  }
  return gpus.size() <= kFew ? ways_in_every_order(cluster, gpus)
                             : ways_at_every_distance(cluster, gpus);
}

/// The rings of one node: its ways, each as often as channels take it.
Traffic rings_inside(const Cluster& cluster, const std::vector<ChannelWay>& ways,
                     const ChannelSearch& search) {
  LinkTally tally;
  for (std::size_t w = 0; w < ways.size(); ++w) {
    for (const WeightedLink& use : ways[w].links) {
      tally.add({use.link}, use.weight * search.of_way[w]);
    }
  }
  return tally.traffic(cluster, search.ring.count);
}

/// One channel's ring over several nodes, `copies` times.
void add_channel(const Cluster& cluster, const std::vector<NodeMembers>& nodes, std::size_t channel,
                 int copies, LinkTally& tally) {
  std::vector<GpuId> entries;
  std::vector<GpuId> exits;
  for (const NodeMembers& node : nodes) {
    const std::vector<GpuId> chain = chain_of(cluster, node, channel);
    add_chain(cluster, chain, copies, tally);
    entries.push_back(chain.front());
    exits.push_back(exit_of(cluster, chain, node.nics[channel]));
    if (exits.back() != chain.back()) {
      tally.add(cluster.route(chain.back(), exits.back()), copies);
    }
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::size_t next = (i + 1) % nodes.size();
    tally.add(cluster.route_by_nics(exits[i], nodes[i].nics[channel], entries[next],
                                    nodes[next].nics[channel]),
              copies);
  }
}

Traffic rings_between(const Cluster& cluster, const std::vector<NodeMembers>& nodes,
                      const ChannelSearch& search) {
  LinkTally tally;
  for (std::size_t channel = 0; channel < search.of_way.size(); ++channel) {
    if (search.of_way[channel] == 0) continue;
    add_channel(cluster, nodes, channel, search.of_way[channel], tally);
  }
  return tally.traffic(cluster, search.ring.count);
}

IntraTransport intra_transport(const Cluster& cluster, int ranks_per_node) {
  if (ranks_per_node == 1) return IntraTransport::None;
  return cluster.spec().node.interconnect == GpuInterconnect::Pcie ? IntraTransport::Pcie
                                                                   : IntraTransport::NvLink;
}

/// All that does not depend on the traffic.
GroupLayout outline(const Cluster& cluster, int ranks, int nodes, int ranks_per_node) {
  const ClusterSpec& spec = cluster.spec();
  GroupLayout layout;
  layout.ranks = ranks;
  layout.nodes = nodes;
  layout.ranks_per_node = ranks_per_node;
  layout.intra = intra_transport(cluster, ranks_per_node);
  layout.crosses_network = nodes > 1;
  layout.nv_switch = spec.node.interconnect == GpuInterconnect::NvSwitch;
  layout.reducing_network = nodes > 1 && spec.fabric.sharp;
  layout.nic_latency = spec.fabric.nic_latency;
  layout.transport = spec.fabric.transport;
  layout.cpu_vendor = spec.node.cpu_vendor;
  layout.architecture = spec.node.gpu.architecture;
  return layout;
}

void set_channels(GroupLayout& layout, const ChannelSearch& search) {
  layout.ring = search.ring;
  layout.tree = search.tree;
}

bool after_ampere(GpuArchitecture architecture) {
  return architecture == GpuArchitecture::Hopper || architecture == GpuArchitecture::Blackwell;
}

void lay_out_inside(GroupLayout& layout, const Cluster& cluster,
                    const std::vector<NodeMembers>& nodes) {
  const std::vector<ChannelWay> ways = ways_inside(cluster, nodes.front().gpus);
  const ChannelSearch search = search_channels(cluster, ways, false);
  set_channels(layout, search);
  layout.traffic[index(TrafficKind::Ring)] = rings_inside(cluster, ways, search);
  layout.traffic[index(TrafficKind::Tree)] = tree_inside(cluster, ways, search.of_way);
  if (layout.nv_switch && after_ampere(layout.architecture)) {
    layout.traffic[index(TrafficKind::Nvls)] = nvls_traffic(cluster, nodes);
  }
}

void lay_out_between(GroupLayout& layout, const Cluster& cluster,
                     const std::vector<NodeMembers>& nodes, const NodesOfGroup& all) {
  const ChannelSearch search = search_channels(cluster, ways_by_nics(cluster, nodes.front()), true);
  set_channels(layout, search);
  layout.nics_per_node = static_cast<int>(nodes.front().nics.size());
  layout.traffic[index(TrafficKind::Ring)] = rings_between(cluster, nodes, search);
  layout.traffic[index(TrafficKind::Tree)] = tree_between(cluster, nodes, search.of_way, all);
  if (layout.reducing_network) {
    layout.traffic[index(TrafficKind::CollNet)] = collnet_traffic(cluster, nodes);
  }
  if (!layout.nv_switch || !after_ampere(layout.architecture)) return;
  layout.traffic[index(TrafficKind::NvlsTree)] = nvls_tree_traffic(cluster, nodes, all);
  if (layout.reducing_network) {
    layout.traffic[index(TrafficKind::Nvls)] = nvls_over_network_traffic(cluster, nodes);
  }
}

}  // namespace

GroupLayout layout_group(const Cluster& cluster, std::span<const GpuId> gpus, bool all_to_all,
                         const NodesOfGroup& all) {
  const std::vector<NodeMembers> nodes = members_by_node(cluster, gpus);
  std::size_t most_members = 0;
  for (const NodeMembers& node : nodes) most_members = std::max(most_members, node.gpus.size());
  GroupLayout layout = outline(cluster, static_cast<int>(gpus.size()),
                               static_cast<int>(nodes.size()), static_cast<int>(most_members));
  if (gpus.size() == 1) return layout;
  if (nodes.size() == 1) {
    lay_out_inside(layout, cluster, nodes);
  } else {
    lay_out_between(layout, cluster, nodes, all);
  }
  if (all_to_all) {
    layout.traffic[index(TrafficKind::AllToAll)] = all_to_all_traffic(cluster, nodes);
  }
  return layout;
}

GroupLayout layout_pair(const Cluster& cluster, GpuId from, GpuId to) {
  STEPCAST_REQUIRES(from != to);
  const bool same_node = cluster.node_of(from) == cluster.node_of(to);
  GroupLayout layout = outline(cluster, 2, same_node ? 1 : 2, same_node ? 2 : 1);
  LinkTally tally;
  int channels = 1;
  if (same_node) {
    tally.add(cluster.route(from, to));
  } else {
    const std::vector<int> out = cluster.nics_of(from);
    const std::vector<int> in = cluster.nics_of(to);
    channels = static_cast<int>(std::min(out.size(), in.size()));
    layout.nics_per_node = channels;
    for (std::size_t i = 0; i < std::min(out.size(), in.size()); ++i) {
      tally.add(cluster.route_by_nics(from, out[i], to, in[i]));
    }
  }
  Traffic& route = layout.traffic[index(TrafficKind::Ring)];
  route = tally.traffic(cluster, channels);
  layout.ring = {channels, route.pace, route.pace};
  layout.tree = layout.ring;
  return layout;
}

GroupLayout layout_host_copy(const Cluster& cluster, GpuId gpu, bool to_host) {
  GroupLayout layout = outline(cluster, 1, 1, 1);
  LinkTally tally;
  tally.add(cluster.host_route(gpu, to_host));
  layout.traffic[index(TrafficKind::Ring)] = tally.traffic(cluster, 1);
  return layout;
}

GroupLayout layout_host_memory(const Cluster& cluster, GpuId gpu) {
  GroupLayout layout = outline(cluster, 1, 1, 1);
  LinkTally tally;
  tally.add({cluster.host_route(gpu, true).back(), cluster.host_route(gpu, false).front()});
  layout.traffic[index(TrafficKind::Ring)] = tally.traffic(cluster, 1);
  layout.host_cores = static_cast<double>(cluster.spec().node.host_cores) / cluster.gpus_per_node();
  return layout;
}

}  // namespace stepcast
