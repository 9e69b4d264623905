// Routes: a node's own paths, shifted to where that node's links begin, and between them the NICs'
// cables and the fabric's paths.
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "base/contract.h"
#include "topology/cluster.h"
#include "topology/cluster_graph.h"

namespace stepcast {

namespace {

void append(std::vector<LinkId>& route, LinkId first_link, const Path& path) {
  for (const int link : path) route.push_back(first_link + link);
}

/// What switches do with a flow's addresses: any good mixing function (here splitmix64's).
std::uint64_t hash_of_ends(std::uint64_t seed, std::initializer_list<int> ends) {
  std::uint64_t hash = seed;
  for (const int end : ends) {
    hash += 0x9e3779b97f4a7c15ull + static_cast<std::uint64_t>(end);
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ull;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebull;
    hash ^= hash >> 31;
  }
  return hash;
}

}  // namespace

std::vector<LinkId> Cluster::route(GpuId from, GpuId to) const {
  STEPCAST_REQUIRES(from >= 0 && from < num_gpus() && to >= 0 && to < num_gpus());
  const Graph& graph = *graph_;
  const std::size_t sender = graph.index_in_node(from);
  const std::size_t receiver = graph.index_in_node(to);
  if (graph.node_of(from) != graph.node_of(to)) {
    return route_by_nics(from, graph.routes.nics_of[sender].front(), to,
                         graph.routes.nics_of[receiver].front());
  }
  std::vector<LinkId> route;
  append(route, graph.first_link(graph.node_of(from)), graph.routes.gpu_to_gpu[sender][receiver]);
  return route;
}

std::vector<LinkId> Cluster::route_by_nic(GpuId from, GpuId to, int nic) const {
  return route_by_nics(from, nic, to, nic);
}

std::vector<LinkId> Cluster::route_by_nics(GpuId from, int nic_out, GpuId to, int nic_in) const {
  std::vector<LinkId> route = nic_exit(from, nic_out);
  const std::vector<LinkId> between = between_nics(node_of(from), nic_out, node_of(to), nic_in);
  const std::vector<LinkId> entry = nic_entry(to, nic_in);
  route.insert(route.end(), between.begin(), between.end());
  route.insert(route.end(), entry.begin(), entry.end());
  return route;
}

std::vector<LinkId> Cluster::nic_exit(GpuId gpu, int nic) const {
  STEPCAST_REQUIRES(gpu >= 0 && gpu < num_gpus());
  const Graph& graph = *graph_;
  STEPCAST_REQUIRES(nic >= 0 && nic < graph.num_nics());
  const int node = graph.node_of(gpu);
  std::vector<LinkId> route;
  append(route, graph.first_link(node),
         graph.routes.gpu_to_nic[graph.index_in_node(gpu)][static_cast<std::size_t>(nic)]);
  route.push_back(graph.nic_up(node, nic));
  return route;
}

std::vector<LinkId> Cluster::nic_entry(GpuId gpu, int nic) const {
  STEPCAST_REQUIRES(gpu >= 0 && gpu < num_gpus());
  const Graph& graph = *graph_;
  STEPCAST_REQUIRES(nic >= 0 && nic < graph.num_nics());
  const int node = graph.node_of(gpu);
  std::vector<LinkId> route{graph.nic_down(node, nic)};
  append(route, graph.first_link(node),
         graph.routes.nic_to_gpu[static_cast<std::size_t>(nic)][graph.index_in_node(gpu)]);
  return route;
}

std::vector<LinkId> Cluster::between_nics(int node_out, int nic_out, int node_in,
                                          int nic_in) const {
  STEPCAST_REQUIRES(node_out != node_in);
  const Graph& graph = *graph_;
  // Different nodes: there is a fabric.
  const Fabric& fabric = *graph.fabric;  // NOLINT(bugprone-unchecked-optional-access)
  const std::uint64_t key = hash_of_ends(graph.spec.seed, {node_out, nic_out, node_in, nic_in});
  std::vector<LinkId> route;
  for (const int link :
       fabric.path(fabric.leaf_of(node_out, nic_out), fabric.leaf_of(node_in, nic_in), key)) {
    route.push_back(graph.fabric_link(link));
  }
  return route;
}

std::vector<LinkId> Cluster::nvswitch_link(GpuId gpu, bool to_switch) const {
  STEPCAST_REQUIRES(gpu >= 0 && gpu < num_gpus());
  const Graph& graph = *graph_;
  STEPCAST_REQUIRES(graph.spec.node.interconnect == GpuInterconnect::NvSwitch);
  // The GPUs are the first parts, and the cable of GPU i to the switch is the i-th.
  const int cable = 2 * static_cast<int>(graph.index_in_node(gpu));
  return {graph.first_link(graph.node_of(gpu)) + cable + (to_switch ? 0 : 1)};
}

std::vector<int> Cluster::nics_of(GpuId gpu) const {
  STEPCAST_REQUIRES(gpu >= 0 && gpu < num_gpus());
  return graph_->routes.nics_of[graph_->index_in_node(gpu)];
}

std::vector<LinkId> Cluster::host_route(GpuId gpu, bool to_host) const {
  STEPCAST_REQUIRES(gpu >= 0 && gpu < num_gpus());
  const Graph& graph = *graph_;
  const std::vector<Path>& paths =
      to_host ? graph.routes.gpu_to_memory : graph.routes.memory_to_gpu;
  std::vector<LinkId> route;
  append(route, graph.first_link(graph.node_of(gpu)), paths[graph.index_in_node(gpu)]);
  return route;
}

}  // namespace stepcast
