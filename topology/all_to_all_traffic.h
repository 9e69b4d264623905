// Every member's messages to all others, counted link by link.
#pragma once

#include <vector>

#include "topology/group_layout.h"
#include "topology/group_nodes.h"

namespace stepcast {

/// One unit is what one member sends to one other (S / n), divided over the NICs of the receiver
/// where it has several. Inside a node messages take their route. Between nodes a message enters by
/// the receiver's NIC; it leaves by the NIC of the same number, which belongs to a member that the
/// sender reaches by NVLink (PXN), so that it stays on its rail; where no member owns that NIC, or
/// there is no NVLink, by the sender's own.
/// Source: NVIDIA/nccl src/graph/paths.cc, NCCL_P2P_PXN_LEVEL 2 (from 2.12 on).
Traffic all_to_all_traffic(const Cluster& cluster, const std::vector<NodeMembers>& nodes);

}  // namespace stepcast
