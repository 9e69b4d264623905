#include "sim/folding.h"

#include <algorithm>
#include <map>
#include <set>

#include "sim/flows.h"
#include "sim/implied_links.h"
#include "sim/partition.h"

namespace stepcast {
namespace {

int num_classes(const std::vector<int>& classes) {
  return classes.empty() ? 0 : *std::max_element(classes.begin(), classes.end()) + 1;
}

std::vector<FoldedRank> fold_ranks(const StepProgram& program, const Partition& partition,
                                   const std::vector<double>& rates, const Placement& placement) {
  std::vector<FoldedRank> folded(static_cast<std::size_t>(num_classes(partition.rank)));
  for (std::size_t r = 0; r < partition.rank.size(); ++r) {
    FoldedRank& rank = folded[static_cast<std::size_t>(partition.rank[r])];
    const bool first = rank.members == 0;
    rank.members += placement.copies_of(static_cast<int>(r));
    if (!first) continue;
    rank.program = program.program_of_rank[r];
    rank.rate = rates[r];
    rank.representative = placement.number_in_job(static_cast<int>(r));
    for (const int communicator : program.communicators_of_rank[r]) {
      rank.communicators.push_back(
          communicator < 0 ? -1 : partition.communicator[static_cast<std::size_t>(communicator)]);
    }
  }
  return folded;
}

// Links that no flow crosses take no part.
std::vector<FoldedLink> fold_links(const std::vector<CommunicatorFlows>& flows,
                                   Partition& partition, std::span<const Link> links) {
  std::vector<char> used(links.size(), 0);
  for (const CommunicatorFlows& communicator : flows) {
    for (const auto& uses : communicator.links) {
      for (const WeightedLink& use : uses) used[static_cast<std::size_t>(use.link)] = 1;
    }
  }
  std::map<int, int> renumbered;
  std::vector<FoldedLink> folded;
  for (std::size_t l = 0; l < links.size(); ++l) {
    if (!used[l]) continue;
    const auto [place, added] =
        renumbered.try_emplace(partition.link[l], static_cast<int>(folded.size()));
    if (added) {
      folded.push_back({links[l].bandwidth, static_cast<LinkId>(l), 1});
    } else {
      ++folded[static_cast<std::size_t>(place->second)].members;
    }
    partition.link[l] = place->second;
  }
  return folded;
}

// The weight of a class's flows on one link of a class: summed on that link's representative.
void add_weights(const std::vector<CommunicatorFlows>& flows, const Partition& partition,
                 const std::vector<FoldedLink>& links, std::vector<FoldedCommunicator>& folded) {
  std::map<LinkId, int> representatives;
  for (std::size_t l = 0; l < links.size(); ++l) {
    representatives[links[l].representative] = static_cast<int>(l);
  }
  std::vector<PerTraffic<std::map<int, int>>> weights(folded.size());
  for (std::size_t c = 0; c < flows.size(); ++c) {
    for (std::size_t kind = 0; kind < flows[c].links.size(); ++kind) {
      for (const WeightedLink& use : flows[c].links[kind]) {
        const auto place = representatives.find(use.link);
        if (place == representatives.end()) continue;
        const auto index = static_cast<std::size_t>(partition.communicator[c]);
        weights[index][kind][place->second] += use.weight;
      }
    }
  }
  for (std::size_t c = 0; c < folded.size(); ++c) {
    for (std::size_t kind = 0; kind < weights[c].size(); ++kind) {
      for (const auto& [link, weight] : weights[c][kind]) {
        folded[c].traffic[kind].links.push_back({link, weight});
      }
    }
  }
}

BytesPerSecond pace_of(const std::vector<WeightedLink>& uses,
                       const std::vector<FoldedLink>& links) {
  BytesPerSecond pace;
  for (const WeightedLink& use : uses) {
    const BytesPerSecond share = links[static_cast<std::size_t>(use.link)].bandwidth / use.weight;
    if (pace == BytesPerSecond() || share < pace) pace = share;
  }
  return pace;
}

std::vector<FoldedCommunicator> fold_communicators(const std::vector<CommunicatorFlows>& flows,
                                                   const Partition& partition,
                                                   const std::vector<FoldedLink>& links) {
  std::vector<FoldedCommunicator> folded(
      static_cast<std::size_t>(num_classes(partition.communicator)));
  std::vector<char> seen(folded.size(), 0);
  for (std::size_t c = 0; c < flows.size(); ++c) {
    const auto index = static_cast<std::size_t>(partition.communicator[c]);
    if (seen[index]) continue;
    seen[index] = 1;
    folded[index].transfers = flows[c].transfers;
    std::set<Arrival> arrivals;
    for (const Member& member : flows[c].members) {
      arrivals.insert({partition.rank[static_cast<std::size_t>(member.rank)], member.local_number});
    }
    folded[index].arrivals.assign(arrivals.begin(), arrivals.end());
  }
  add_weights(flows, partition, links, folded);
  for (FoldedCommunicator& communicator : folded) {
    for (FoldedTraffic& traffic : communicator.traffic) {
      traffic.pace = pace_of(traffic.links, links);
    }
  }
  return folded;
}

std::vector<double> rank_rates(const Placement& placement, const Cluster& cluster) {
  std::vector<double> rates;
  for (const GpuId gpu : placement.gpu_of_rank) rates.push_back(cluster.gpu_rate(gpu));
  return rates;
}

// Flows on links that the program uses: the others meet nobody.
std::vector<FoldedBackground> fold_background(const std::vector<FoldedLink>& links,
                                              const Cluster& cluster) {
  std::map<LinkId, int> representatives;
  for (std::size_t l = 0; l < links.size(); ++l) {
    representatives[links[l].representative] = static_cast<int>(l);
  }
  std::vector<FoldedBackground> folded;
  for (const BackgroundFlow& flow : cluster.background()) {
    FoldedBackground kept{{}, flow.rate};
    for (const LinkId link : flow.links) {
      const auto place = representatives.find(link);
      if (place != representatives.end()) kept.links.push_back(place->second);
    }
    // A link that only it uses cannot hold it back: its rate is at most what any link has.
    if (!kept.links.empty()) folded.push_back(std::move(kept));
  }
  return folded;
}

FoldedProgram quotient(const StepProgram& program, const std::vector<CommunicatorFlows>& flows,
                       Partition partition, const Placement& placement, const Cluster& cluster) {
  FoldedProgram folded;
  folded.program = &program;
  folded.ranks = fold_ranks(program, partition, rank_rates(placement, cluster), placement);
  folded.links = fold_links(flows, partition, cluster.links());
  folded.communicators = fold_communicators(flows, partition, folded.links);
  folded.background = fold_background(folded.links, cluster);
  folded.class_of_rank = std::move(partition.rank);
  return folded;
}

}  // namespace

BytesPerSecond alone_rate(const FoldedCommunicator& communicator, int operation) {
  const Transfer& transfer = communicator.transfers[static_cast<std::size_t>(operation)];
  if (transfer.bytes <= Bytes()) return BytesPerSecond();
  const BytesPerSecond limit = transfer.rate_limit;
  const BytesPerSecond pace = communicator.traffic_of(transfer).pace;
  if (pace == BytesPerSecond()) return limit;
  return limit > BytesPerSecond() ? std::min(limit, pace) : pace;
}

Seconds alone_time(const FoldedCommunicator& communicator, int operation) {
  const Transfer& transfer = communicator.transfers[static_cast<std::size_t>(operation)];
  const BytesPerSecond rate = alone_rate(communicator, operation);
  return rate > BytesPerSecond() ? transfer.latency + transfer.bytes / rate : transfer.latency;
}

FoldedProgram fold(const StepProgram& program, const Placement& placement, const Cluster& cluster,
                   const NetworkProfile& network) {
  std::vector<CommunicatorFlows> flows = communicator_flows(program, placement, cluster, network);
  drop_implied_links(flows, cluster.links(), cluster.background());
  const std::vector<double> rates = rank_rates(placement, cluster);
  return quotient(program, flows, refine(program, flows, rates, cluster), placement, cluster);
}

FoldedProgram unfolded(const StepProgram& program, const Placement& placement,
                       const Cluster& cluster, const NetworkProfile& network) {
  const std::vector<CommunicatorFlows> flows =
      communicator_flows(program, placement, cluster, network);
  return quotient(program, flows, discrete_partition(program, cluster.links().size()), placement,
                  cluster);
}

}  // namespace stepcast
