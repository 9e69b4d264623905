#include "topology/tree_traffic.h"

#include <numeric>

namespace stepcast {

namespace {

int parent_in_bit_tree(int node, int nodes) {
  if (node == 0) return -1;
  const int bit = node & -node;
  const int up = (node ^ bit) | (bit << 1);
  return up < nodes ? up : node ^ bit;
}

// Odd nodes are leaves; others have a left child, and a right one where any node follows.
int degree_in_bit_tree(int node, int nodes) {
  if (node == 0) return nodes > 1 ? 1 : 0;
  if (node % 2 == 1) return 1;
  return node + 1 < nodes ? 3 : 2;
}

// The node of the bit tree whose place this one takes in tree 1.
int place_in_tree_1(int node, int nodes) {
  return nodes % 2 == 0 ? nodes - 1 - node : (node - 1 + nodes) % nodes;
}

// Both trees take the chain: two halves up, two halves down.
void add_chain_both_ways(const Cluster& cluster, const std::vector<GpuId>& chain, int copies,
                         LinkTally& tally) {
  for (std::size_t i = 1; i < chain.size(); ++i) {
    tally.add(cluster.route(chain[i], chain[i - 1]), 2 * copies);
    tally.add(cluster.route(chain[i - 1], chain[i]), 2 * copies);
  }
}

}  // namespace

int tree_parent(int tree, int node, int nodes) {
  if (tree == 0) return parent_in_bit_tree(node, nodes);
  const int parent = parent_in_bit_tree(place_in_tree_1(node, nodes), nodes);
  if (parent < 0) return -1;
  return nodes % 2 == 0 ? nodes - 1 - parent : (parent + 1) % nodes;
}

int tree_degree(int node, int nodes) {
  return degree_in_bit_tree(node, nodes) + degree_in_bit_tree(place_in_tree_1(node, nodes), nodes);
}

void add_tree_between(const Cluster& cluster, const std::vector<NodeMembers>& nodes,
                      const NodesOfGroup& all, std::size_t channel, int weight, LinkTally& tally) {
  std::vector<GpuId> heads;
  for (const NodeMembers& node : nodes) {
    heads.push_back(owner_of(cluster, node, node.nics[channel]));
  }
  const auto nic = [&](int node) { return nodes[static_cast<std::size_t>(node)].nics[channel]; };
  const auto cables = [&](int node, int times) {
    const GpuId head = heads[static_cast<std::size_t>(node)];
    tally.add(cluster.nic_exit(head, nic(node)), times * weight);
    tally.add(cluster.nic_entry(head, nic(node)), times * weight);
  };
  const int placed = static_cast<int>(nodes.size());
  if (!all.number.empty()) {
    // Where few nodes stand for all, the network between their leaves never binds.
    for (int node = 0; node < placed; ++node) {
      cables(node, tree_degree(all.number[static_cast<std::size_t>(node)], all.total));
    }
    return;
  }
  for (const int tree : {0, 1}) {
    for (int node = 0; node < placed; ++node) {
      const int parent = tree_parent(tree, node, placed);
      if (parent < 0) continue;
      cables(node, 1);
      cables(parent, 1);
      const int from = cluster.node_of(heads[static_cast<std::size_t>(node)]);
      const int to = cluster.node_of(heads[static_cast<std::size_t>(parent)]);
      tally.add(cluster.between_nics(from, nic(node), to, nic(parent)), weight);
      tally.add(cluster.between_nics(to, nic(parent), from, nic(node)), weight);
    }
  }
}

Traffic tree_inside(const Cluster& cluster, const std::vector<ChannelWay>& ways,
                    const std::vector<int>& of_way) {
  LinkTally tally;
  for (std::size_t w = 0; w < ways.size(); ++w) {
    add_chain_both_ways(cluster, ways[w].order, of_way[w], tally);
  }
  return tally.traffic(cluster, 2.0 * std::accumulate(of_way.begin(), of_way.end(), 0));
}

Traffic tree_between(const Cluster& cluster, const std::vector<NodeMembers>& nodes,
                     const std::vector<int>& of_way, const NodesOfGroup& all) {
  LinkTally tally;
  for (std::size_t channel = 0; channel < of_way.size(); ++channel) {
    const int copies = of_way[channel];
    if (copies == 0) continue;
    for (const NodeMembers& node : nodes) {
      add_chain_both_ways(cluster, chain_of(cluster, node, channel), copies, tally);
    }
    add_tree_between(cluster, nodes, all, channel, copies, tally);
  }
  return tally.traffic(cluster, 2.0 * std::accumulate(of_way.begin(), of_way.end(), 0));
}

}  // namespace stepcast
