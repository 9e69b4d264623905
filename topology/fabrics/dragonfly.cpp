#include <map>
#include <utility>

#include "topology/fabric.h"

namespace stepcast {

namespace {

struct Groups {
  int routers;  ///< of one group
  int count;

  int group_of(int router) const { return router / routers; }
  /// The router of `group` that holds the cable to `other`: cables are dealt in turn.
  int gateway(int group, int other) const {
    const int turn = (other - group - 1 + count) % count;
    return group * routers + turn % routers;
  }
};

/// [(from, to)] -> link
using Cables = std::map<std::pair<int, int>, int>;

void add_cable(Fabric& fabric, Cables& cables, int a, int b, BytesPerSecond bandwidth) {
  const int link = fabric.add_cable(a, b, bandwidth);
  cables[{a, b}] = link;
  cables[{b, a}] = link + 1;
}

void join_group(Fabric& fabric, Cables& cables, const Groups& groups, int group,
                BytesPerSecond bandwidth) {
  const int first = group * groups.routers;
  for (int a = first; a < first + groups.routers; ++a) {
    for (int b = a + 1; b < first + groups.routers; ++b) add_cable(fabric, cables, a, b, bandwidth);
  }
}

std::vector<int> path_between(const Groups& groups, const Cables& local, const Cables& global,
                              int from, int to) {
  std::vector<int> path;
  const auto step = [&](int a, int b) {
    if (a != b) path.push_back(local.at({a, b}));
  };
  const int here = groups.group_of(from);
  const int there = groups.group_of(to);
  if (here == there) {
    step(from, to);
    return path;
  }
  step(from, groups.gateway(here, there));
  path.push_back(global.at({here, there}));
  step(groups.gateway(there, here), to);
  return path;
}

}  // namespace

Fabric build_dragonfly(const FabricSpec& spec, int nodes) {
  Fabric fabric;
  fabric.nics_per_node = spec.nics_per_node;
  fabric.nic_bandwidth = spec.nic_bandwidth * spec.nic_efficiency;
  const int nodes_per_group = spec.nodes_per_leaf * spec.routers_per_group;
  const Groups groups{spec.routers_per_group, (nodes + nodes_per_group - 1) / nodes_per_group};
  for (int router = 0; router < groups.count * groups.routers; ++router) {
    fabric.add_switch("group" + std::to_string(groups.group_of(router)) + ".router" +
                      std::to_string(router % groups.routers));
  }
  for (int node = 0; node < nodes; ++node) {
    fabric.leaf_of_nic.insert(fabric.leaf_of_nic.end(),
                              static_cast<std::size_t>(spec.nics_per_node),
                              node / spec.nodes_per_leaf);
  }
  const BytesPerSecond of_router =
      fabric.nic_bandwidth * spec.nics_per_node * spec.nodes_per_leaf / spec.oversubscription;
  Cables local;
  Cables global;
  for (int group = 0; group < groups.count; ++group) {
    if (groups.routers > 1) {
      join_group(fabric, local, groups, group, 2 * of_router / (groups.routers - 1));
    }
    for (int other = group + 1; other < groups.count; ++other) {
      const int link = fabric.add_cable(groups.gateway(group, other), groups.gateway(other, group),
                                        of_router * groups.routers / (groups.count - 1));
      global[{group, other}] = link;
      global[{other, group}] = link + 1;
    }
  }
  fabric.path = [groups, local, global](int from, int to, std::uint64_t) {
    return path_between(groups, local, global, from, to);
  };
  return fabric;
}

}  // namespace stepcast
