#include "calibration/nccl_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "calibration/readers/nccl_tests.h"
#include "models/collectives.h"
#include "topology/group_layout.h"

namespace stepcast {
namespace {

std::vector<GpuId> every(int step, int count) {
  std::vector<GpuId> gpus(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) gpus[static_cast<std::size_t>(i)] = i * step;
  return gpus;
}

// The group of so many ranks; none where the cluster has no obvious one.
std::vector<GpuId> group_of(int ranks, const Cluster& cluster) {
  if (ranks == cluster.num_gpus()) return every(1, ranks);
  if (ranks == cluster.gpus_per_node()) return every(1, ranks);
  if (ranks == cluster.num_nodes()) return every(cluster.gpus_per_node(), ranks);
  return {};
}

// Hops from node to node of a ring that NCCL printed whole.
std::optional<int> crossings_of(const NcclCommunicator& communicator, const Cluster& cluster) {
  if (communicator.ranks != cluster.num_gpus() || communicator.rings.empty()) return std::nullopt;
  const std::vector<int>& ring = communicator.rings.front();
  if (static_cast<int>(ring.size()) != communicator.ranks) return std::nullopt;
  int crossings = 0;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const int next = ring[(i + 1) % ring.size()];
    if (ring[i] / cluster.gpus_per_node() != next / cluster.gpus_per_node()) ++crossings;
  }
  return crossings;
}

std::vector<ComparedCommunicator> compare_communicators(const NcclInfoLog& log,
                                                        const Cluster& cluster) {
  std::vector<ComparedCommunicator> compared;
  for (const NcclCommunicator& logged : log.communicators) {
    auto same = std::find_if(compared.begin(), compared.end(), [&](const auto& known) {
      return known.ranks == logged.ranks && known.channels == logged.channels;
    });
    if (same == compared.end()) {
      ComparedCommunicator fresh;
      fresh.ranks = logged.ranks;
      fresh.channels = logged.channels;
      fresh.line = logged.line;
      const std::vector<GpuId> gpus = group_of(logged.ranks, cluster);
      if (gpus.size() > 1) {
        const GroupLayout layout = layout_group(cluster, gpus);
        fresh.modelled_channels = 2 * layout.ring.count;
        fresh.modelled_crossings = layout.nodes > 1 ? layout.nodes : 0;
      }
      same = compared.insert(compared.end(), fresh);
    }
    ++same->seen;
    if (!same->crossings) same->crossings = crossings_of(logged, cluster);
    for (const auto& [transport, count] : logged.connections) {
      same->connections[transport] += count;
    }
  }
  return compared;
}

std::string choice_of_model(const NcclCall& call, const Cluster& cluster,
                            const NetworkProfile& network) {
  const std::optional<CollectiveKind> kind = modelled_kind(call.collective);
  if (!kind || cluster.num_gpus() < 2 || *kind == CollectiveKind::SendReceive) return {};
  const GroupLayout layout = layout_group(cluster, every(1, cluster.num_gpus()));
  const CollectiveCandidate best =
      collective_candidates(*kind, call.message, layout, network).front();
  return fmt::format("{}/{}", word(best.algorithm), word(best.protocol));
}

std::vector<ComparedCall> compare_calls(const NcclInfoLog& log, const Cluster& cluster,
                                        const NetworkProfile& network) {
  std::vector<ComparedCall> compared;
  for (const NcclCall& call : log.calls) {
    const std::string logged = fmt::format("{}/{}", call.algorithm, call.protocol);
    const auto same = std::find_if(compared.begin(), compared.end(), [&](const auto& known) {
      return known.collective == call.collective && known.message == call.message &&
             known.logged == logged;
    });
    if (same != compared.end()) {
      ++same->seen;
      continue;
    }
    compared.push_back({call.collective, call.message, logged,
                        choice_of_model(call, cluster, network), 1, call.line});
  }
  return compared;
}

template <class Choice>
void force(std::optional<Choice>& choice, const NcclInfoLog& log, const std::string& variable,
           std::span<const Choice> all, std::vector<std::string>& notes) {
  const auto set = log.environment.find(variable);
  if (set == log.environment.end()) return;
  if (const auto forced = forced_choice(log, variable, all)) choice = forced;
  notes.push_back(fmt::format("{}={} was set: {}", variable, set->second,
                              choice ? "the model is forced to it too" : "the model ignores it"));
}

void note_network(const NcclInfoLog& log, const Cluster& cluster, std::vector<std::string>& notes) {
  if (log.network.empty() || cluster.num_nodes() == 1) return;
  const bool sockets = log.network == "Socket";
  const bool modelled_sockets = cluster.spec().fabric.transport == Transport::Tcp;
  if (sockets == modelled_sockets) return;
  notes.push_back(fmt::format("the log ran on {}, the cluster's fabric {} sockets", log.network,
                              modelled_sockets ? "is of" : "is not of"));
}

}  // namespace

NcclComparison compare_nccl(const NcclInfoLog& log, const Cluster& cluster,
                            NetworkProfile network) {
  NcclComparison comparison;
  force(network.nccl.algorithm, log, "NCCL_ALGO", std::span<const Algorithm>(all_algorithms),
        comparison.notes);
  force(network.nccl.protocol, log, "NCCL_PROTO", std::span<const Protocol>(all_protocols),
        comparison.notes);
  note_network(log, cluster, comparison.notes);
  comparison.communicators = compare_communicators(log, cluster);
  comparison.calls = compare_calls(log, cluster, network);
  return comparison;
}

}  // namespace stepcast
