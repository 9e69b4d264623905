#include "topology/group_layout.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/contract.h"

namespace stepcast {

namespace {

/// The members on one node, and the NIC that each channel uses there.
struct NodeMembers {
  std::vector<GpuId> gpus;
  std::vector<int> nics;
};

/// Links as the rings cross them, once for each crossing.
struct Crossings {
  std::vector<LinkId> between_members;  ///< hops inside nodes
  std::vector<LinkId> to_other_nodes;   ///< hops between nodes, the PCIe links to the NICs included
};

void append(std::vector<LinkId>& links, const std::vector<LinkId>& route) {
  links.insert(links.end(), route.begin(), route.end());
}

std::vector<WeightedLink> counted(std::vector<LinkId> links) {
  std::sort(links.begin(), links.end());
  std::vector<WeightedLink> ring;
  for (const LinkId link : links) {
    if (ring.empty() || ring.back().link != link) ring.push_back({link, 0});
    ++ring.back().weight;
  }
  return ring;
}

/// What the tightest link leaves one channel; 0 for a ring of no links.
BytesPerSecond pace(const Cluster& cluster, const std::vector<WeightedLink>& ring) {
  if (ring.empty()) return {};
  BytesPerSecond slowest(std::numeric_limits<double>::infinity());
  for (const auto& [link, weight] : ring) {
    const BytesPerSecond bandwidth = cluster.links()[static_cast<std::size_t>(link)].bandwidth;
    slowest = std::min(slowest, bandwidth / weight);
  }
  return slowest;
}

/// Nodes and members ascending.
std::vector<NodeMembers> members_by_node(const Cluster& cluster, std::span<const GpuId> gpus) {
  std::vector<GpuId> sorted(gpus.begin(), gpus.end());
  std::sort(sorted.begin(), sorted.end());
  STEPCAST_REQUIRES(!sorted.empty());
  STEPCAST_REQUIRES(sorted.front() >= 0 && sorted.back() < cluster.num_gpus());
  STEPCAST_REQUIRES(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
  std::vector<NodeMembers> nodes;
  int last_node = -1;
  for (const GpuId gpu : sorted) {
    if (cluster.node_of(gpu) != last_node) nodes.emplace_back();
    nodes.back().gpus.push_back(gpu);
    last_node = cluster.node_of(gpu);
  }
  return nodes;
}

/// Gives every node one NIC for each channel and returns the number of channels.
int assign_nics(const Cluster& cluster, std::vector<NodeMembers>& nodes) {
  for (NodeMembers& node : nodes) {
    for (const GpuId gpu : node.gpus) {
      const std::vector<int> near = cluster.nics_of(gpu);
      node.nics.insert(node.nics.end(), near.begin(), near.end());
    }
    std::sort(node.nics.begin(), node.nics.end());
    node.nics.erase(std::unique(node.nics.begin(), node.nics.end()), node.nics.end());
  }
  std::vector<int> common = nodes.front().nics;
  std::size_t fewest = common.size();
  for (const NodeMembers& node : nodes) {
    std::vector<int> still_common;
    std::set_intersection(common.begin(), common.end(), node.nics.begin(), node.nics.end(),
                          std::back_inserter(still_common));
    common = std::move(still_common);
    fewest = std::min(fewest, node.nics.size());
  }
  for (NodeMembers& node : nodes) {
    if (common.empty()) {
      node.nics.resize(fewest);
    } else {
      node.nics = common;
    }
  }
  return static_cast<int>(nodes.front().nics.size());
}

bool near_nic(const Cluster& cluster, GpuId gpu, int nic) {
  const std::vector<int> near = cluster.nics_of(gpu);
  return std::find(near.begin(), near.end(), nic) != near.end();
}

/// The members of a node in the order in which the channel passes them: the NIC's owner first.
std::vector<GpuId> chain_of(const Cluster& cluster, const NodeMembers& node, std::size_t channel) {
  std::vector<GpuId> chain = node.gpus;
  const auto owner = std::find_if(chain.begin(), chain.end(), [&](GpuId gpu) {
    return near_nic(cluster, gpu, node.nics[channel]);
  });
  std::rotate(chain.begin(), owner, chain.end());
  const bool mesh = cluster.spec().node.interconnect == GpuInterconnect::NvLinkMesh;
  if (mesh && channel % 2 == 1) std::reverse(chain.begin() + 1, chain.end());
  return chain;
}

void add_chain(const Cluster& cluster, const std::vector<GpuId>& chain, Crossings& crossings) {
  for (std::size_t i = 1; i < chain.size(); ++i) {
    append(crossings.between_members, cluster.route(chain[i - 1], chain[i]));
  }
}

/// The member that hands the ring to the NIC: the last, or the NIC's owner (PXN).
GpuId exit_of(const Cluster& cluster, const std::vector<GpuId>& chain, int nic,
              Crossings& crossings) {
  const bool nvlink = cluster.spec().node.interconnect != GpuInterconnect::Pcie;
  if (!nvlink || near_nic(cluster, chain.back(), nic)) return chain.back();
  append(crossings.between_members, cluster.route(chain.back(), chain.front()));
  return chain.front();
}

/// One channel's ring over several nodes.
void add_channel(const Cluster& cluster, const std::vector<NodeMembers>& nodes, std::size_t channel,
                 Crossings& crossings) {
  std::vector<GpuId> exits;
  std::vector<GpuId> entries;
  for (const NodeMembers& node : nodes) {
    const std::vector<GpuId> chain = chain_of(cluster, node, channel);
    add_chain(cluster, chain, crossings);
    entries.push_back(chain.front());
    exits.push_back(exit_of(cluster, chain, node.nics[channel], crossings));
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::size_t next = (i + 1) % nodes.size();
    append(crossings.to_other_nodes,
           cluster.route_by_nics(exits[i], nodes[i].nics[channel], entries[next],
                                 nodes[next].nics[channel]));
  }
}

/// Rings inside one node; returns the number of channels.
int add_local_rings(const Cluster& cluster, const std::vector<GpuId>& gpus, Crossings& crossings) {
  const std::size_t ranks = gpus.size();
  const bool mesh = cluster.spec().node.interconnect == GpuInterconnect::NvLinkMesh;
  // Every member to the one `stride` further on: on a mesh with all strides, that is every pair.
  const std::size_t strides = ranks == 1 ? 0 : mesh ? ranks - 1 : 1;
  for (std::size_t stride = 1; stride <= strides; ++stride) {
    for (std::size_t i = 0; i < ranks; ++i) {
      append(crossings.between_members, cluster.route(gpus[i], gpus[(i + stride) % ranks]));
    }
  }
  return std::max(1, static_cast<int>(strides));
}

IntraTransport intra_transport(const Cluster& cluster, int ranks_per_node) {
  if (ranks_per_node == 1) return IntraTransport::None;
  return cluster.spec().node.interconnect == GpuInterconnect::Pcie ? IntraTransport::Pcie
                                                                   : IntraTransport::NvLink;
}

/// All that does not depend on the rings.
GroupLayout outline(const Cluster& cluster, int ranks, int nodes, int ranks_per_node) {
  GroupLayout layout;
  layout.ranks = ranks;
  layout.nodes = nodes;
  layout.ranks_per_node = ranks_per_node;
  layout.intra = intra_transport(cluster, ranks_per_node);
  layout.crosses_network = nodes > 1;
  layout.nic_latency = cluster.spec().fabric.nic_latency;
  layout.transport = cluster.spec().fabric.transport;
  layout.cpu_vendor = cluster.spec().node.cpu_vendor;
  layout.architecture = cluster.spec().node.gpu.architecture;
  return layout;
}

void set_rings(GroupLayout& layout, const Cluster& cluster, Crossings crossings) {
  const std::vector<WeightedLink> inside = counted(crossings.between_members);
  append(crossings.to_other_nodes, crossings.between_members);
  layout.ring = counted(std::move(crossings.to_other_nodes));
  layout.channel_bandwidth = pace(cluster, layout.ring);
  layout.intra_channel_bandwidth =
      inside.empty() ? layout.channel_bandwidth : pace(cluster, inside);
}

}  // namespace

GroupLayout layout_group(const Cluster& cluster, std::span<const GpuId> gpus) {
  std::vector<NodeMembers> nodes = members_by_node(cluster, gpus);
  std::size_t most_members = 0;
  for (const NodeMembers& node : nodes) most_members = std::max(most_members, node.gpus.size());
  GroupLayout layout = outline(cluster, static_cast<int>(gpus.size()),
                               static_cast<int>(nodes.size()), static_cast<int>(most_members));
  Crossings crossings;
  if (nodes.size() == 1) {
    layout.channels = add_local_rings(cluster, nodes.front().gpus, crossings);
  } else {
    layout.channels = assign_nics(cluster, nodes);
    for (std::size_t channel = 0; channel < nodes.front().nics.size(); ++channel) {
      add_channel(cluster, nodes, channel, crossings);
    }
  }
  set_rings(layout, cluster, std::move(crossings));
  return layout;
}

GroupLayout layout_pair(const Cluster& cluster, GpuId from, GpuId to) {
  STEPCAST_REQUIRES(from != to);
  const bool same_node = cluster.node_of(from) == cluster.node_of(to);
  GroupLayout layout = outline(cluster, 2, same_node ? 1 : 2, same_node ? 2 : 1);
  Crossings crossings;
  if (same_node) {
    crossings.between_members = cluster.route(from, to);
  } else {
    const std::vector<int> out = cluster.nics_of(from);
    const std::vector<int> in = cluster.nics_of(to);
    layout.channels = static_cast<int>(std::min(out.size(), in.size()));
    for (std::size_t i = 0; i < std::min(out.size(), in.size()); ++i) {
      append(crossings.to_other_nodes, cluster.route_by_nics(from, out[i], to, in[i]));
    }
  }
  set_rings(layout, cluster, std::move(crossings));
  return layout;
}

GroupLayout layout_host_copy(const Cluster& cluster, GpuId gpu, bool to_host) {
  GroupLayout layout = outline(cluster, 1, 1, 1);
  Crossings crossings;
  crossings.between_members = cluster.host_route(gpu, to_host);
  set_rings(layout, cluster, std::move(crossings));
  return layout;
}

GroupLayout layout_host_memory(const Cluster& cluster, GpuId gpu) {
  GroupLayout layout = outline(cluster, 1, 1, 1);
  Crossings crossings;
  crossings.between_members = {cluster.host_route(gpu, true).back(),
                               cluster.host_route(gpu, false).front()};
  set_rings(layout, cluster, std::move(crossings));
  layout.host_cores = static_cast<double>(cluster.spec().node.host_cores) / cluster.gpus_per_node();
  return layout;
}

}  // namespace stepcast
