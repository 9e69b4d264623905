#include "topology/node_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <boost/graph/filtered_graph.hpp>
#include <boost/graph/strong_components.hpp>
#include <limits>

#include "base/input_error.h"

namespace stepcast {

namespace {

/// How good a path is. Comparing by hops, then by bandwidth, keeps Dijkstra's algorithm right: a
/// better path stays at least as good when both are extended by the same link.
struct Reach {
  int hops = std::numeric_limits<int>::max();
  double bandwidth = 0;
};

bool nearer(const Reach& a, const Reach& b) {
  return a.hops != b.hops ? a.hops < b.hops : a.bandwidth > b.bandwidth;
}

Reach extended(const Reach& path, const Reach& link) {
  return {path.hops + link.hops, std::min(path.bandwidth, link.bandwidth)};
}

struct Edge {
  int link;  ///< position in NodeParts::links
  Reach reach;
};

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, DeviceKind, Edge>;
using Vertex = Graph::vertex_descriptor;
using GraphEdge = Graph::edge_descriptor;

Graph graph_of(const NodeParts& node) {
  Graph graph;
  for (const NodePart& part : node.parts) boost::add_vertex(part.kind, graph);
  for (std::size_t i = 0; i < node.links.size(); ++i) {
    const PartLink& link = node.links[i];
    boost::add_edge(static_cast<Vertex>(link.from), static_cast<Vertex>(link.to),
                    Edge{static_cast<int>(i), {1, link.bandwidth.value()}}, graph);
  }
  return graph;
}

/// Names the first part from which the first GPU cannot be reached, or that it cannot reach.
void check_connected(const Graph& graph, const NodeParts& node) {
  std::vector<int> component(boost::num_vertices(graph));
  const auto by_vertex =
      boost::make_iterator_property_map(component.begin(), boost::get(boost::vertex_index, graph));
  if (boost::strong_components(graph, by_vertex) == 1) return;
  for (std::size_t part = 0; part < component.size(); ++part) {
    if (component[part] == component[0]) continue;
    throw InputError({.file = {}, .pointer = "/cluster/node"},
                     fmt::format("the node is in pieces: {} and {} do not reach each other",
                                 node.parts[0].name, node.parts[part].name),
                     "every GPU and NIC needs a link to a switch or a socket of the others");
  }
}

bool forwards(DeviceKind kind) {
  return kind == DeviceKind::NvSwitch || kind == DeviceKind::PcieSwitch ||
         kind == DeviceKind::Socket;
}

/// Links that a message from `start` may take: devices send their own messages and forward none.
struct Usable {
  const Graph* graph = nullptr;
  Vertex start = 0;
  bool operator()(const GraphEdge& edge) const {
    const Vertex from = boost::source(edge, *graph);
    return from == start || forwards((*graph)[from]);
  }
};

/// Best paths from one part to all others.
class PathsFrom {
 public:
  PathsFrom(const Graph& graph, int start)
      : graph_(graph), start_(static_cast<Vertex>(start)), last_edge_(boost::num_vertices(graph)) {
    const boost::filtered_graph usable(graph, Usable{&graph, start_});
    const auto index = boost::get(boost::vertex_index, graph);
    std::vector<Reach> reach(boost::num_vertices(graph));
    const auto last_edges = boost::make_iterator_property_map(last_edge_.begin(), index);
    boost::dijkstra_shortest_paths(
        usable, start_,
        boost::weight_map(boost::get(&Edge::reach, usable))
            .distance_map(boost::make_iterator_property_map(reach.begin(), index))
            .distance_compare(&nearer)
            .distance_combine(&extended)
            .distance_inf(Reach{})
            .distance_zero(Reach{0, std::numeric_limits<double>::infinity()})
            .visitor(boost::make_dijkstra_visitor(
                boost::record_edge_predecessors(last_edges, boost::on_edge_relaxed()))));
  }

  Path to(int part) const {
    Path path;
    for (auto vertex = static_cast<Vertex>(part); vertex != start_;) {
      const GraphEdge& edge = last_edge_[vertex];
      path.push_back(graph_[edge].link);
      vertex = boost::source(edge, graph_);
    }
    std::reverse(path.begin(), path.end());
    return path;
  }

  std::vector<Path> to_all(const std::vector<int>& parts) const {
    std::vector<Path> paths;
    paths.reserve(parts.size());
    for (const int part : parts) paths.push_back(to(part));
    return paths;
  }

 private:
  const Graph& graph_;
  Vertex start_;
  std::vector<GraphEdge> last_edge_;
};

/// The first of `paths` that no other is shorter than.
std::size_t shortest(const std::vector<Path>& paths) {
  const auto by_hops = [](const Path& a, const Path& b) { return a.size() < b.size(); };
  return static_cast<std::size_t>(std::min_element(paths.begin(), paths.end(), by_hops) -
                                  paths.begin());
}

std::vector<int> nearest(const std::vector<Path>& to_nics) {
  std::vector<int> nics;
  if (to_nics.empty()) return nics;
  const std::size_t fewest_hops = to_nics[shortest(to_nics)].size();
  for (std::size_t nic = 0; nic < to_nics.size(); ++nic) {
    if (to_nics[nic].size() == fewest_hops) nics.push_back(static_cast<int>(nic));
  }
  return nics;
}

/// What sharer `i` of `sharers` gets of `nics`: a share of its own, or one that others use too.
std::vector<int> share_of(const std::vector<int>& nics, std::size_t i, std::size_t sharers) {
  const std::size_t first = i * nics.size() / sharers;
  const std::size_t end = std::max(first + 1, (i + 1) * nics.size() / sharers);
  const auto begin = nics.begin();
  return {begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(end)};
}

std::vector<std::vector<int>> share_nics(const std::vector<std::vector<Path>>& gpu_to_nic) {
  std::vector<std::vector<int>> near;
  near.reserve(gpu_to_nic.size());
  for (const std::vector<Path>& to_nics : gpu_to_nic) near.push_back(nearest(to_nics));
  std::vector<std::vector<int>> shared;
  for (std::size_t gpu = 0; gpu < near.size(); ++gpu) {
    if (near[gpu].empty()) {
      shared.emplace_back();
      continue;
    }
    const auto here = near.begin() + static_cast<std::ptrdiff_t>(gpu);
    const auto before = std::count(near.begin(), here, near[gpu]);
    const auto sharers = std::count(near.begin(), near.end(), near[gpu]);
    shared.push_back(
        share_of(near[gpu], static_cast<std::size_t>(before), static_cast<std::size_t>(sharers)));
  }
  return shared;
}

}  // namespace

NodeRoutes find_routes(const NodeParts& node) {
  const Graph graph = graph_of(node);
  check_connected(graph, node);
  const std::vector<int> gpus = node.of_kind(DeviceKind::Gpu);
  const std::vector<int> nics = node.of_kind(DeviceKind::Nic);
  const std::vector<int> memories = node.of_kind(DeviceKind::HostMemory);
  NodeRoutes routes;
  for (const int gpu : gpus) {
    const PathsFrom paths(graph, gpu);
    routes.gpu_to_gpu.push_back(paths.to_all(gpus));
    routes.gpu_to_nic.push_back(paths.to_all(nics));
    const std::vector<Path> to_memories = paths.to_all(memories);
    const std::size_t memory = shortest(to_memories);
    routes.gpu_to_memory.push_back(to_memories[memory]);
    routes.memory_to_gpu.push_back(PathsFrom(graph, memories[memory]).to(gpu));
  }
  for (const int nic : nics) routes.nic_to_gpu.push_back(PathsFrom(graph, nic).to_all(gpus));
  routes.nics_of = share_nics(routes.gpu_to_nic);
  return routes;
}

}  // namespace stepcast
