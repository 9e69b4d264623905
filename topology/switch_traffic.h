// Traffic of algorithms that let switches reduce: NVLS on NVSwitches, SHARP in the network.
#pragma once

#include <vector>

#include "topology/group_layout.h"
#include "topology/group_nodes.h"

namespace stepcast {

/// All-reduce on one node by its NVSwitches: a GPU sends the message once and its reduced shard
/// once, and receives as much: (n + 1) / n of the message each way, units of one shard.
Traffic nvls_traffic(const Cluster& cluster, const std::vector<NodeMembers>& nodes);

/// The same on every node, and between nodes a double binary tree for each head, which is the owner
/// of a channel's NIC: tree_degree halves of a head's share through it each way.
Traffic nvls_tree_traffic(const Cluster& cluster, const std::vector<NodeMembers>& nodes,
                          const NodesOfGroup& all);

/// NVLS inside nodes and SHARP between them: a head's share crosses its NIC once each way.
Traffic nvls_over_network_traffic(const Cluster& cluster, const std::vector<NodeMembers>& nodes);

/// CollNet direct: every GPU sends each head's share to it and receives it back reduced; the share
/// crosses the head's NIC once each way. The network above a leaf carries one share for all its
/// nodes.
Traffic collnet_traffic(const Cluster& cluster, const std::vector<NodeMembers>& nodes);

}  // namespace stepcast
