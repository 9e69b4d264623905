#include "scenarios/import/chakra/rank_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_map>
#include <utility>

namespace stepcast {
namespace {

// The nodes of a rank by their place in the file, and who comes after whom.
struct Graph {
  std::vector<std::vector<int>> after;  ///< [node] -> those that wait for it
  std::vector<int> waits_for;           ///< [node] -> how many it still waits for
};

Graph graph_of(const TracedRank& traced) {
  std::unordered_map<std::uint64_t, int> by_id;
  for (const TracedNode& node : traced.nodes) {
    if (!by_id.emplace(node.id, static_cast<int>(by_id.size())).second) {
      throw InputError(place_of(traced, node), "two nodes have this number");
    }
  }
  Graph graph{std::vector<std::vector<int>>(traced.nodes.size()),
              std::vector<int>(traced.nodes.size())};
  for (std::size_t n = 0; n < traced.nodes.size(); ++n) {
    const TracedNode& node = traced.nodes[n];
    for (const std::uint64_t before : node.after) {
      const auto found = by_id.find(before);
      if (found == by_id.end()) {
        throw InputError(place_of(traced, node),
                         fmt::format("it comes after node {}, which is not in the trace", before));
      }
      graph.after[static_cast<std::size_t>(found->second)].push_back(static_cast<int>(n));
      ++graph.waits_for[n];
    }
  }
  return graph;
}

// Places in the file, dependencies first, and among those that may come next the lowest number.
std::vector<int> run_order(const TracedRank& traced, Graph& graph) {
  using Next = std::pair<std::uint64_t, int>;
  std::priority_queue<Next, std::vector<Next>, std::greater<>> ready;
  const auto make_ready = [&](int n) {
    ready.emplace(traced.nodes[static_cast<std::size_t>(n)].id, n);
  };
  for (std::size_t n = 0; n < traced.nodes.size(); ++n) {
    if (graph.waits_for[n] == 0) make_ready(static_cast<int>(n));
  }
  std::vector<int> order;
  while (!ready.empty()) {
    const int n = ready.top().second;
    ready.pop();
    order.push_back(n);
    for (const int later : graph.after[static_cast<std::size_t>(n)]) {
      if (--graph.waits_for[static_cast<std::size_t>(later)] == 0) make_ready(later);
    }
  }
  return order;
}

void refuse_circle(const TracedRank& traced, const Graph& graph) {
  for (std::size_t n = 0; n < traced.nodes.size(); ++n) {
    if (graph.waits_for[n] == 0) continue;
    throw InputError(place_of(traced, traced.nodes[n]),
                     "it waits for nodes that wait for each other in a circle");
  }
}

}  // namespace

void join(Horizon& horizon, const Horizon& other) {
  for (std::size_t s = 0; s < horizon.size(); ++s) horizon[s] = std::max(horizon[s], other[s]);
}

InputPlace place_of(const TracedRank& rank, const TracedNode& node) {
  return {rank.file, fmt::format("node {} \"{}\"", node.id, node.name)};
}

Stream stream_of(const TracedNode& node, int rank) {
  switch (node.kind) {
    case TracedKind::HostCompute:
      return Stream::HostCompute;
    case TracedKind::Load:
      return Stream::HostToDevice;
    case TracedKind::Store:
      return Stream::DeviceToHost;
    case TracedKind::Collective:
      return Stream::Data;
    case TracedKind::Send:
      return node.partner > rank ? Stream::SendForward : Stream::SendBackward;
    case TracedKind::Receive:
      return node.partner < rank ? Stream::ReceiveForward : Stream::ReceiveBackward;
    default:
      return Stream::Compute;
  }
}

OrderedRank order_nodes(const TracedRank& traced, int rank) {
  Graph graph = graph_of(traced);
  const std::vector<int> order = run_order(traced, graph);
  refuse_circle(traced, graph);

  OrderedRank ordered{&traced, {}};
  std::vector<Horizon> needs(traced.nodes.size(), Horizon{});
  std::array<Horizon, kNumStreams> reached{};  // by the end of each stream
  for (const int n : order) {
    const TracedNode& node = traced.nodes[static_cast<std::size_t>(n)];
    Horizon end = needs[static_cast<std::size_t>(n)];
    if (node.kind != TracedKind::Nothing) {
      const auto s = static_cast<std::size_t>(stream_of(node, rank));
      join(end, reached[s]);
      ordered.streams[s].push_back({&node, end});
      end[s] = static_cast<int>(ordered.streams[s].size());
      reached[s] = end;
    }
    for (const int later : graph.after[static_cast<std::size_t>(n)]) {
      join(needs[static_cast<std::size_t>(later)], end);
    }
  }
  return ordered;
}

}  // namespace stepcast
