// Routes: a node's own paths, shifted to where that node's links begin, and between them the NICs'
// cables and the leaves' uplinks.
#include <vector>

#include "base/contract.h"
#include "topology/cluster.h"
#include "topology/cluster_graph.h"

namespace stepcast {

namespace {

void append(std::vector<LinkId>& route, LinkId first_link, const Path& path) {
  for (const int link : path) route.push_back(first_link + link);
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
  STEPCAST_REQUIRES(from >= 0 && from < num_gpus() && to >= 0 && to < num_gpus());
  STEPCAST_REQUIRES(node_of(from) != node_of(to));
  const Graph& graph = *graph_;
  // Different nodes: there is a fabric.
  const Fabric& fabric = *graph.fabric;  // NOLINT(bugprone-unchecked-optional-access)
  STEPCAST_REQUIRES(nic_out >= 0 && nic_out < graph.num_nics());
  STEPCAST_REQUIRES(nic_in >= 0 && nic_in < graph.num_nics());
  const int sender = graph.node_of(from);
  const int receiver = graph.node_of(to);
  const auto out = static_cast<std::size_t>(nic_out);
  const auto in = static_cast<std::size_t>(nic_in);

  std::vector<LinkId> route;
  route.reserve(14);  // the longest: five links to a NIC, four between NICs
  append(route, graph.first_link(sender), graph.routes.gpu_to_nic[graph.index_in_node(from)][out]);
  route.push_back(graph.nic_up(sender, nic_out));
  const int leaf_out = fabric.leaf_of(sender, nic_out);
  const int leaf_in = fabric.leaf_of(receiver, nic_in);
  if (leaf_out != leaf_in) {
    route.push_back(graph.leaf_up(leaf_out));
    route.push_back(graph.leaf_down(leaf_in));
  }
  route.push_back(graph.nic_down(receiver, nic_in));
  append(route, graph.first_link(receiver), graph.routes.nic_to_gpu[in][graph.index_in_node(to)]);
  return route;
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
