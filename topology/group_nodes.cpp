#include "topology/group_nodes.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/contract.h"

namespace stepcast {

namespace {

std::vector<int> near_nics(const Cluster& cluster, const std::vector<GpuId>& gpus) {
  std::vector<int> nics;
  for (const GpuId gpu : gpus) {
    const std::vector<int> near = cluster.nics_of(gpu);
    nics.insert(nics.end(), near.begin(), near.end());
  }
  std::sort(nics.begin(), nics.end());
  nics.erase(std::unique(nics.begin(), nics.end()), nics.end());
  return nics;
}

/// Those that are near to a member in every node, or, where there are none, as many as the node
/// with the fewest has.
void assign_nics(const Cluster& cluster, std::vector<NodeMembers>& nodes) {
  for (NodeMembers& node : nodes) node.nics = near_nics(cluster, node.gpus);
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
}

}  // namespace

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
  if (nodes.size() > 1) assign_nics(cluster, nodes);
  return nodes;
}

bool near_nic(const Cluster& cluster, GpuId gpu, int nic) {
  const std::vector<int> near = cluster.nics_of(gpu);
  return std::find(near.begin(), near.end(), nic) != near.end();
}

GpuId owner_of(const Cluster& cluster, const NodeMembers& node, int nic) {
  const auto owner = std::find_if(node.gpus.begin(), node.gpus.end(),
                                  [&](GpuId gpu) { return near_nic(cluster, gpu, nic); });
  return owner == node.gpus.end() ? node.gpus.front() : *owner;
}

std::vector<GpuId> chain_of(const Cluster& cluster, const NodeMembers& node, std::size_t channel) {
  std::vector<GpuId> chain = node.gpus;
  const auto owner =
      std::find(chain.begin(), chain.end(), owner_of(cluster, node, node.nics[channel]));
  std::rotate(chain.begin(), owner, chain.end());
  const bool mesh = cluster.spec().node.interconnect == GpuInterconnect::NvLinkMesh;
  if (mesh && channel % 2 == 1) std::reverse(chain.begin() + 1, chain.end());
  return chain;
}

}  // namespace stepcast
