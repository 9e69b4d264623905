#include "topology/switch_traffic.h"

#include <set>

#include "topology/tree_traffic.h"

namespace stepcast {

namespace {

std::vector<GpuId> heads_of(const Cluster& cluster, const NodeMembers& node) {
  if (node.nics.empty()) return node.gpus;
  std::vector<GpuId> heads;
  for (const int nic : node.nics) heads.push_back(owner_of(cluster, node, nic));
  return heads;
}

/// The switches take every member's part of each head's share and give the reduced share to the
/// head; it gives them the result, and they give that to all. `weight` for one head's share.
void add_multicast(const Cluster& cluster, const NodeMembers& node, int weight, LinkTally& tally) {
  const std::vector<GpuId> heads = heads_of(cluster, node);
  const int shares = static_cast<int>(heads.size());
  for (const GpuId gpu : node.gpus) {
    tally.add(cluster.nvswitch_link(gpu, true), shares * weight);
    tally.add(cluster.nvswitch_link(gpu, false), shares * weight);
  }
  for (const GpuId head : heads) {
    tally.add(cluster.nvswitch_link(head, true), weight);
    tally.add(cluster.nvswitch_link(head, false), weight);
  }
}

/// Each channel's share through its NIC once, and once up and down between the leaves that its
/// nodes hang on.
void add_reducing_network(const Cluster& cluster, const std::vector<NodeMembers>& nodes,
                          LinkTally& tally) {
  for (std::size_t channel = 0; channel < nodes.front().nics.size(); ++channel) {
    std::set<LinkId> between;
    const GpuId first = owner_of(cluster, nodes.front(), nodes.front().nics[channel]);
    for (const NodeMembers& node : nodes) {
      const GpuId head = owner_of(cluster, node, node.nics[channel]);
      tally.add(cluster.nic_exit(head, node.nics[channel]));
      tally.add(cluster.nic_entry(head, node.nics[channel]));
      const int here = cluster.node_of(head);
      const int there = cluster.node_of(first);
      if (here == there) continue;
      for (const LinkId link :
           cluster.between_nics(here, node.nics[channel], there, nodes.front().nics[channel])) {
        between.insert(link);
      }
      for (const LinkId link :
           cluster.between_nics(there, nodes.front().nics[channel], here, node.nics[channel])) {
        between.insert(link);
      }
    }
    tally.add({between.begin(), between.end()});
  }
}

double heads_per_node(const std::vector<NodeMembers>& nodes) {
  const NodeMembers& node = nodes.front();
  return static_cast<double>(node.nics.empty() ? node.gpus.size() : node.nics.size());
}

}  // namespace

Traffic nvls_traffic(const Cluster& cluster, const std::vector<NodeMembers>& nodes) {
  LinkTally tally;
  add_multicast(cluster, nodes.front(), 1, tally);
  return tally.traffic(cluster, heads_per_node(nodes));
}

Traffic nvls_tree_traffic(const Cluster& cluster, const std::vector<NodeMembers>& nodes,
                          const NodesOfGroup& all) {
  LinkTally tally;
  // In halves of a head's share, as each of the two trees takes one.
  for (const NodeMembers& node : nodes) add_multicast(cluster, node, 2, tally);
  for (std::size_t channel = 0; channel < nodes.front().nics.size(); ++channel) {
    add_tree_between(cluster, nodes, all, channel, 1, tally);
  }
  return tally.traffic(cluster, 2 * heads_per_node(nodes));
}

Traffic nvls_over_network_traffic(const Cluster& cluster, const std::vector<NodeMembers>& nodes) {
  LinkTally tally;
  for (const NodeMembers& node : nodes) add_multicast(cluster, node, 1, tally);
  add_reducing_network(cluster, nodes, tally);
  return tally.traffic(cluster, heads_per_node(nodes));
}

Traffic collnet_traffic(const Cluster& cluster, const std::vector<NodeMembers>& nodes) {
  LinkTally tally;
  for (const NodeMembers& node : nodes) {
    for (const GpuId head : heads_of(cluster, node)) {
      for (const GpuId gpu : node.gpus) {
        tally.add(cluster.route(gpu, head));
        tally.add(cluster.route(head, gpu));
      }
    }
  }
  add_reducing_network(cluster, nodes, tally);
  return tally.traffic(cluster, heads_per_node(nodes));
}

}  // namespace stepcast
