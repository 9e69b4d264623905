// A group's members node by node, with the NICs that its channels use. Private to topology/.
#pragma once

#include <span>
#include <vector>

#include "topology/cluster.h"

namespace stepcast {

/// The members on one node, and the NIC that each channel uses there.
struct NodeMembers {
  std::vector<GpuId> gpus;  ///< ascending
  std::vector<int> nics;    ///< [channel], as many in every node; empty on one node
};

/// Nodes ascending, NICs assigned where there are several nodes. Requires at least one GPU and no
/// GPU twice.
std::vector<NodeMembers> members_by_node(const Cluster& cluster, std::span<const GpuId> gpus);

bool near_nic(const Cluster& cluster, GpuId gpu, int nic);

/// The first member that is near to the NIC, or the first of all.
GpuId owner_of(const Cluster& cluster, const NodeMembers& node, int nic);

/// The members of a node in the order in which channel `channel` passes them: the NIC's owner
/// first, then the others in order; on an NVLink mesh every other channel passes them backwards, as
/// NCCL does to use both directions of the cables.
std::vector<GpuId> chain_of(const Cluster& cluster, const NodeMembers& node, std::size_t channel);

}  // namespace stepcast
