#include "models/collectives.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/contract.h"
#include "models/nccl_tuner.h"

namespace stepcast {
namespace {

constexpr std::array kAlgorithms{Algorithm::Ring, Algorithm::Tree, Algorithm::Nvls,
                                 Algorithm::PointToPoint};
constexpr std::array kProtocols{Protocol::LL, Protocol::LL128, Protocol::Simple};

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

// A correction may make up for a tuner that is too careful, not for the links.
BytesPerSecond corrected_bandwidth(const TunedCollective& collective, Algorithm algorithm,
                                   Protocol protocol, double factor) {
  const BytesPerSecond tuned = tuner_bandwidth(collective, algorithm, protocol);
  if (factor <= 1) return factor * tuned;
  return std::min(factor * tuned, std::max(tuned, links_bandwidth(collective, algorithm)));
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
  BytesPerSecond bandwidth =
      bandwidth_factor.value *
      corrected_bandwidth(collective, algorithm, protocol, correction.bandwidth.value);
  if (collective.message.value() > 0) {
    const double by_size = size_factor(corrections, collective.message);
    const Seconds flow = collective.message / bandwidth;
    bandwidth = bandwidth / (by_size * (1 + corrections.ramp.value * std::sqrt(latency / flow)));
    latency *= by_size;
  }
  return {algorithm, protocol, latency, bandwidth, latency + collective.message / bandwidth};
}

}  // namespace

std::vector<CollectiveCandidate> collective_candidates(CollectiveKind kind, Bytes message,
                                                       const GroupLayout& layout,
                                                       const NetworkProfile& network) {
  STEPCAST_REQUIRES(layout.ranks >= 2);
  STEPCAST_REQUIRES(message.value() >= 0);
  const NcclRelease& release = nccl_release(network.nccl_version, layout.architecture);
  const TunedCollective collective{kind, message, layout, release, network.ll128};
  std::vector<CollectiveCandidate> candidates;
  for (const Algorithm algorithm : kAlgorithms) {
    for (const Protocol protocol : kProtocols) {
      if (!tuner_allows(collective, algorithm, protocol)) continue;
      candidates.push_back(candidate(collective, algorithm, protocol, network));
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
  return candidates;
}

Transfer plan_transfer(CollectiveKind kind, Bytes message, const GroupLayout& layout,
                       const NetworkProfile& network) {
  if (is_of_host(kind)) return plan_host_transfer(kind, message, layout);
  if (layout.ranks < 2 || message.value() == 0) return {};
  const CollectiveCandidate best = collective_candidates(kind, message, layout, network).front();
  const Seconds flow_time = message / best.algorithm_bandwidth;
  const double share = wire_share(kind, best.algorithm, layout) / layout.channels;
  const Bytes on_the_wire = message * share * protocol_overhead(best.protocol);
  const Bytes links_carry = layout.channel_bandwidth * flow_time;
  const Bytes bytes(std::max(1.0, std::round(std::min(on_the_wire, links_carry).value())));
  const BytesPerSecond pace = bytes / flow_time;
  // The tolerance is for equal but for rounding; a pace above the links' comes from whole bytes.
  const bool links_limit =
      on_the_wire >= links_carry * (1 - 1e-12) || pace >= layout.channel_bandwidth;
  return {best.latency, bytes, links_limit ? BytesPerSecond() : pace};
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
  const bool limited = transfer.rate_limit.value() > 0;
  const BytesPerSecond rate =
      limited ? std::min(transfer.rate_limit, layout.channel_bandwidth) : layout.channel_bandwidth;
  return transfer.latency + transfer.bytes / rate;
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

std::string_view word(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::Ring:
      return "ring";
    case Algorithm::Tree:
      return "tree";
    case Algorithm::Nvls:
      return "nvls";
    case Algorithm::PointToPoint:
      break;
  }
  return "point_to_point";
}

std::string_view word(Protocol protocol) {
  switch (protocol) {
    case Protocol::LL:
      return "ll";
    case Protocol::LL128:
      return "ll128";
    case Protocol::Simple:
      break;
  }
  return "simple";
}

}  // namespace stepcast
