#include "models/collectives.h"

#include <algorithm>
#include <cmath>

#include "base/contract.h"
#include "models/nccl_tuner.h"

namespace stepcast {
namespace {

/// Bytes on a link over bytes of data.
double protocol_overhead(Protocol protocol) {
  switch (protocol) {
    case Protocol::LL:
      return 2;
    case Protocol::LL128:
      return 128.0 / 120;
    case Protocol::Simple:
      break;
  }
  return 1;
}

const ProtocolCorrections& corrections_of(const CollectiveCorrections& corrections,
                                          Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::Ring:
      return corrections.ring;
    case Algorithm::Tree:
      return corrections.tree;
    case Algorithm::Nvls:
    case Algorithm::NvlsTree:
    case Algorithm::CollNetDirect:
      return corrections.nvls;
    case Algorithm::PointToPoint:
      break;
  }
  return corrections.point_to_point;
}

const CombinationCorrection& correction_of(const CollectiveCorrections& corrections,
                                           Algorithm algorithm, Protocol protocol) {
  const ProtocolCorrections& protocols = corrections_of(corrections, algorithm);
  switch (protocol) {
    case Protocol::LL:
      return protocols.ll;
    case Protocol::LL128:
      return protocols.ll128;
    case Protocol::Simple:
      break;
  }
  return protocols.simple;
}

double ramp_of(const CollectiveCorrections& corrections, Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::Nvls:
    case Algorithm::NvlsTree:
    case Algorithm::CollNetDirect:
      return corrections.nvls_ramp.value;
    case Algorithm::Ring:
    case Algorithm::Tree:
    case Algorithm::PointToPoint:
      break;
  }
  return corrections.ramp.value;
}

/// Bytes of one unit's flow over the message.
double unit_share(CollectiveKind kind, Algorithm algorithm, Protocol protocol,
                  const GroupLayout& layout) {
  const Traffic& traffic = layout.of(traffic_of(kind, algorithm));
  return wire_share(kind, algorithm, layout.ranks) / traffic.units * protocol_overhead(protocol);
}

/// Of the message, when only the links limit.
BytesPerSecond carried_by_links(CollectiveKind kind, Algorithm algorithm, Protocol protocol,
                                const GroupLayout& layout) {
  return layout.of(traffic_of(kind, algorithm)).pace /
         unit_share(kind, algorithm, protocol, layout);
}

bool is_of_host(CollectiveKind kind) {
  return kind == CollectiveKind::CopyToHost || kind == CollectiveKind::CopyFromHost ||
         kind == CollectiveKind::HostUpdate;
}

CollectiveCandidate candidate(const TunedCollective& collective, Algorithm algorithm,
                              Protocol protocol, const NetworkProfile& network) {
  const bool across = collective.layout.crosses_network;
  const CollectiveCorrections& corrections = across ? network.across_nodes : network.inside_node;
  const CombinationCorrection& correction = correction_of(corrections, algorithm, protocol);
  const auto& latency_factor = across ? network.latency_factor : network.intra_latency_factor;
  const auto& bandwidth_factor = across ? network.bandwidth_factor : network.intra_bandwidth_factor;
  Seconds latency = network.launch.value + latency_factor.value * correction.latency.value *
                                               tuner_latency(collective, algorithm, protocol);
  BytesPerSecond tuned = bandwidth_factor.value * correction.bandwidth.value *
                         tuner_bandwidth(collective, algorithm, protocol);
  if (collective.message.value() > 0) {
    const double by_size = size_factor(corrections, collective.message);
    const Seconds flow = collective.message / tuned;
    tuned = tuned / (by_size * (1 + ramp_of(corrections, algorithm) * std::sqrt(latency / flow)));
    latency *= by_size;
  }
  // A correction may make up for a tuner that is too careful, not for the links.
  const BytesPerSecond bandwidth =
      std::min(tuned, carried_by_links(collective.kind, algorithm, protocol, collective.layout));
  return {algorithm,
          protocol,
          latency,
          bandwidth,
          latency + collective.message / bandwidth,
          latency + collective.message / tuned};
}

/// Keeps the candidates that `wanted` picks, if it picks any.
template <class Wanted>
void keep_if_any(std::vector<CollectiveCandidate>& candidates, const Wanted& wanted) {
  if (std::any_of(candidates.begin(), candidates.end(), wanted)) {
    std::erase_if(candidates, [&](const CollectiveCandidate& c) { return !wanted(c); });
  }
}

void keep_forced(std::vector<CollectiveCandidate>& candidates, const NcclChoice& choice) {
  keep_if_any(candidates, [&](const CollectiveCandidate& c) {
    return !choice.algorithm || c.algorithm == *choice.algorithm;
  });
  keep_if_any(candidates, [&](const CollectiveCandidate& c) {
    return !choice.protocol || c.protocol == *choice.protocol;
  });
}

}  // namespace

std::vector<CollectiveCandidate> collective_candidates(CollectiveKind kind, Bytes message,
                                                       const GroupLayout& layout,
                                                       const NetworkProfile& network) {
  STEPCAST_REQUIRES(layout.ranks >= 2);
  STEPCAST_REQUIRES(message.value() >= 0);
  const NcclChoice& choice = network.nccl;
  const NcclRelease& release = nccl_release(
      choice.version.empty() ? network.nccl_version : choice.version, layout.architecture);
  const TunedCollective collective{kind, message, layout, release, network};
  std::vector<CollectiveCandidate> candidates;
  for (const Algorithm algorithm : all_algorithms) {
    for (const Protocol protocol : all_protocols) {
      if (!tuner_allows(collective, algorithm, protocol)) continue;
      candidates.push_back(candidate(collective, algorithm, protocol, network));
    }
  }
  keep_forced(candidates, choice);
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.tuner_time < b.tuner_time; });
  return candidates;
}

Seconds least_time_on_links(CollectiveKind kind, Bytes message, const GroupLayout& layout,
                            const NetworkProfile& network) {
  BytesPerSecond fastest;
  for (const CollectiveCandidate& c : collective_candidates(kind, message, layout, network)) {
    fastest = std::max(fastest, carried_by_links(kind, c.algorithm, Protocol::Simple, layout));
  }
  return message / fastest;
}

Transfer plan_transfer(CollectiveKind kind, Bytes message, const GroupLayout& layout,
                       const NetworkProfile& network) {
  if (is_of_host(kind)) return plan_host_transfer(kind, message, layout);
  if (layout.ranks < 2 || message.value() == 0) return {};
  const CollectiveCandidate best = collective_candidates(kind, message, layout, network).front();
  const TrafficKind traffic = traffic_of(kind, best.algorithm);
  const BytesPerSecond pace = layout.of(traffic).pace;
  const double share = unit_share(kind, best.algorithm, best.protocol, layout);
  const Bytes bytes(std::max(1.0, std::round((message * share).value())));
  const BytesPerSecond needed = bytes / (message / best.algorithm_bandwidth);
  // The tolerance is for equal but for rounding; a pace above the links' comes from whole bytes.
  const bool links_limit = needed >= pace * (1 - 1e-12);
  return {best.latency, bytes, links_limit ? BytesPerSecond() : needed, traffic};
}

Transfer plan_host_transfer(CollectiveKind kind, Bytes message, const GroupLayout& layout) {
  constexpr Seconds copy_to_host = 1.6_us;
  constexpr Seconds copy_from_host = 2.8_us;
  constexpr BytesPerSecond core_rate = 8_GB_per_s;
  const Bytes bytes(std::ceil(message.value()));
  switch (kind) {
    case CollectiveKind::CopyToHost:
      return {copy_to_host, bytes, BytesPerSecond()};
    case CollectiveKind::CopyFromHost:
      return {copy_from_host, bytes, BytesPerSecond()};
    default:
      return {Seconds(), bytes, layout.host_cores * core_rate};
  }
}

Seconds alone_time(const Transfer& transfer, const GroupLayout& layout) {
  if (transfer.bytes.value() == 0) return transfer.latency;
  const BytesPerSecond pace = layout.of(transfer.traffic).pace;
  const bool limited = transfer.rate_limit.value() > 0;
  return transfer.latency + transfer.bytes / (limited ? std::min(transfer.rate_limit, pace) : pace);
}

TrafficKind traffic_of(CollectiveKind kind, Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::Tree:
      return TrafficKind::Tree;
    case Algorithm::Nvls:
      return TrafficKind::Nvls;
    case Algorithm::NvlsTree:
      return TrafficKind::NvlsTree;
    case Algorithm::CollNetDirect:
      return TrafficKind::CollNet;
    case Algorithm::Ring:
    case Algorithm::PointToPoint:
      break;
  }
  return kind == CollectiveKind::AllToAll ? TrafficKind::AllToAll : TrafficKind::Ring;
}

double bus_factor(CollectiveKind kind, int ranks) {
  const double others = ranks - 1;
  switch (kind) {
    case CollectiveKind::AllReduce:
      return 2 * others / ranks;
    case CollectiveKind::AllGather:
    case CollectiveKind::ReduceScatter:
    case CollectiveKind::AllToAll:
      return others / ranks;
    default:
      return 1;
  }
}

std::string_view word(CollectiveKind kind) {
  switch (kind) {
    case CollectiveKind::AllReduce:
      return "all_reduce";
    case CollectiveKind::AllGather:
      return "all_gather";
    case CollectiveKind::ReduceScatter:
      return "reduce_scatter";
    case CollectiveKind::Broadcast:
      return "broadcast";
    case CollectiveKind::AllToAll:
      return "all_to_all";
    case CollectiveKind::SendReceive:
      return "send_receive";
    case CollectiveKind::CopyToHost:
      return "copy_to_host";
    case CollectiveKind::CopyFromHost:
      return "copy_from_host";
    case CollectiveKind::HostUpdate:
      break;
  }
  return "host_update";
}

}  // namespace stepcast
