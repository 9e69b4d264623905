#include "sim/collective_explanation.h"

#include <fmt/format.h>

#include "base/contract.h"
#include "base/unit_text.h"
#include "models/nccl_exclusion.h"

namespace stepcast {
namespace {

std::vector<ExcludedCandidate> excluded(const TunedCollective& collective) {
  std::vector<ExcludedCandidate> found;
  for (const Algorithm algorithm : all_algorithms) {
    for (const Protocol protocol : all_protocols) {
      std::string reason = exclusion_reason(collective, algorithm, protocol);
      if (!reason.empty()) found.push_back({algorithm, protocol, std::move(reason)});
    }
  }
  return found;
}

std::vector<SizeRange> ranges(CollectiveKind kind, const GroupLayout& layout,
                              const NetworkProfile& network) {
  std::vector<SizeRange> found;
  for (Bytes size = 8_B; size <= 16_GiB; size *= 2) {
    const CollectiveCandidate best = collective_candidates(kind, size, layout, network).front();
    const bool same = !found.empty() && found.back().algorithm == best.algorithm &&
                      found.back().protocol == best.protocol;
    if (!same) found.push_back({size, best.algorithm, best.protocol});
  }
  return found;
}

void describe_links(CollectiveExplanation& explanation, const Cluster& cluster, GpuId first) {
  const CollectiveCandidate& winner = explanation.winner();
  const Traffic& traffic = explanation.layout.of(traffic_of(explanation.kind, winner.algorithm));
  const std::string node = fmt::format("node{}/", cluster.node_of(first));
  for (const WeightedLink& use : traffic.links) {
    const Link& link = cluster.links()[static_cast<std::size_t>(use.link)];
    if (link.kind == LinkKind::Nic && link.name.starts_with(node)) {
      explanation.nics.push_back(link.name.substr(node.size(), link.name.find('>') - node.size()));
    }
    const BytesPerSecond share = link.bandwidth / use.weight;
    if (explanation.tightest_weight > 0 &&
        share >= explanation.tightest_bandwidth / explanation.tightest_weight) {
      continue;
    }
    explanation.tightest_link = link.name;
    explanation.tightest_bandwidth = link.bandwidth;
    explanation.tightest_weight = use.weight;
  }
}

// Where two straight lines of latency + size / bandwidth meet.
Bytes crossing(const CollectiveCandidate& a, const CollectiveCandidate& b) {
  const double slope = 1 / b.algorithm_bandwidth.value() - 1 / a.algorithm_bandwidth.value();
  return Bytes((a.latency - b.latency).value() / slope);
}

}  // namespace

std::string candidate_name(Algorithm algorithm, Protocol protocol) {
  return fmt::format("{}/{}", word(algorithm), word(protocol));
}

std::string CollectiveExplanation::why() const {
  const CollectiveCandidate& first = winner();
  const std::string name = candidate_name(first.algorithm, first.protocol);
  if (candidates.size() == 1) return name + " is the only way";
  const CollectiveCandidate& second = candidates[1];
  const std::string other = candidate_name(second.algorithm, second.protocol);
  const bool sooner = first.latency <= second.latency;
  const bool wider = first.algorithm_bandwidth >= second.algorithm_bandwidth;
  if (sooner && wider) {
    return fmt::format("{} starts no later than {} and moves no less a second", name, other);
  }
  if (!sooner && !wider) {
    return fmt::format(
        "NCCL's tuner expects {} to be faster than {}, which the links do not bear out", name,
        other);
  }
  const std::string meet = to_text(crossing(first, second));
  if (wider) {
    return fmt::format(
        "{} moves {}, {} only {}, which outweighs its {} of latency (against {}) "
        "above {}",
        name, to_text(first.algorithm_bandwidth), other, to_text(second.algorithm_bandwidth),
        to_text(first.latency), to_text(second.latency), meet);
  }
  return fmt::format(
      "{} takes {} to start, {} {}, which outweighs its lower bandwidth ({} against "
      "{}) below {}",
      name, to_text(first.latency), other, to_text(second.latency),
      to_text(first.algorithm_bandwidth), to_text(second.algorithm_bandwidth), meet);
}

CollectiveExplanation explain_collective(CollectiveKind kind, Bytes message, const Cluster& cluster,
                                         std::span<const GpuId> gpus,
                                         const NetworkProfile& network) {
  STEPCAST_REQUIRES(gpus.size() >= 2);
  STEPCAST_REQUIRES(kind != CollectiveKind::SendReceive || gpus.size() == 2);
  CollectiveExplanation explanation{kind, message, {}, {}, {}, {}, {}, 0, {}, {}, {}};
  explanation.layout = kind == CollectiveKind::SendReceive ? layout_pair(cluster, gpus[0], gpus[1])
                                                           : layout_group(cluster, gpus);
  const GroupLayout& layout = explanation.layout;
  const NcclRelease& release =
      nccl_release(network.nccl.version.empty() ? network.nccl_version : network.nccl.version,
                   layout.architecture);
  explanation.release = release.version;
  explanation.candidates = collective_candidates(kind, message, layout, network);
  explanation.excluded = excluded({kind, message, layout, release, network});
  explanation.ranges = ranges(kind, layout, network);
  describe_links(explanation, cluster, gpus.front());
  return explanation;
}

}  // namespace stepcast
