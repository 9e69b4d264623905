// NCCL's trees on the links: a chain inside every node, and between nodes a double binary tree,
// each half of the message going up and down one of the two.
#pragma once

#include <vector>

#include "topology/group_layout.h"
#include "topology/group_nodes.h"

namespace stepcast {

/// A node's parent in tree 0 or 1 of `nodes`; -1 for the root. Tree 0 is the tree of bit patterns:
/// odd nodes are leaves, node 0 the root. Tree 1 is the same mirrored, or, for an odd number of
/// nodes, shifted by one, so that every node is inner in at most one of them.
/// Requires 0 <= node < nodes. Source: NVIDIA/nccl src/graph/trees.cc; Sanders, Speck & Traeff,
/// Parallel Computing 35(12), 2009.
int tree_parent(int tree, int node, int nodes);

/// Edges that a node has in both trees together: how often half of the message enters it, and
/// leaves it, through its NICs. The sum over the nodes is 4 (nodes - 1).
int tree_degree(int node, int nodes);

/// Trees over one node are chains: a hop carries the message up and again down, units of half a
/// channel's share. `of_way`: channels that take each way.
Traffic tree_inside(const Cluster& cluster, const std::vector<ChannelWay>& ways,
                    const std::vector<int>& of_way);

/// Every edge between nodes carries half of its channel's share up and again down, so a NIC's cable
/// carries tree_degree x S / 2 each way: S on two nodes, and twice that inside large trees, as much
/// as a ring. A hop of a chain carries S each way. `of_way`: channels that take each NIC.
Traffic tree_between(const Cluster& cluster, const std::vector<NodeMembers>& nodes,
                     const std::vector<int>& of_way, const NodesOfGroup& all);

/// What the trees between nodes put on the links from one head of every node to the others, NIC
/// `channel` out and in, `weight` for half of the head's share in one direction.
void add_tree_between(const Cluster& cluster, const std::vector<NodeMembers>& nodes,
                      const NodesOfGroup& all, std::size_t channel, int weight, LinkTally& tally);

}  // namespace stepcast
