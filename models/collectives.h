// What a collective costs when nothing else uses the links, as NCCL's own tuner computes it, and
// what it puts on them. Contention is the event engine's job.
#pragma once

#include <string_view>
#include <vector>

#include "base/units.h"
#include "models/profile.h"
#include "topology/group_layout.h"

namespace stepcast {

enum class CollectiveKind {
  AllReduce,
  AllGather,
  ReduceScatter,
  Broadcast,
  AllToAll,
  SendReceive,
  CopyToHost,  ///< of one rank, over its host links; no NCCL
  CopyFromHost,
  HostUpdate,  ///< the host's cores work through `message` bytes of the node's memory
};

/// One way to run a collective, uncontended: time = latency + message / algorithm_bandwidth.
struct CollectiveCandidate {
  Algorithm algorithm;
  Protocol protocol;
  Seconds latency;
  /// What the tuner expects, or less where the links cannot carry that (the tuner does not see
  /// oversubscription and faults).
  BytesPerSecond algorithm_bandwidth;
  Seconds time;
  Seconds tuner_time;  ///< what NCCL compares: with the tuner's own bandwidth
};

/// What one rank's link sees of a collective: after `latency`, one coupled flow of `bytes` over the
/// links of its kind of traffic (GroupLayout::traffic, weights counted) that no link nor
/// `rate_limit` lets go faster. Alone it takes exactly the candidate's time.
struct Transfer {
  Seconds latency;
  Bytes bytes;                ///< of one unit of the traffic, whole bytes (SimGrid takes integers)
  BytesPerSecond rate_limit;  ///< of the unit; what protocol and threads can move, 0: no limit
  TrafficKind traffic = TrafficKind::Ring;
};

/// All candidates that release, network and scenario (network.nccl) allow, NCCL's choice (the
/// lowest tuner_time) first:
///
///   latency              (network.launch + latency factor x the tuner's latency) x f
///   algorithm_bandwidth  bandwidth factor x the tuner's / ((1 + ramp sqrt(latency / flow)) x f),
///                        at most what the links carry
///
/// with the profile's factors for groups that cross the network or for those inside a node, and its
/// corrections (collective_corrections.h): by algorithm and protocol (NVLS's hold for NVLSTree and
/// CollNet too), `ramp` (`nvls_ramp` for these three), and f by size. `message` is the whole buffer
/// of the collective as nccl-tests counts it: per rank for all-reduce and broadcast, the gathered
/// size for all-gather, the size before scattering for reduce-scatter, what one rank holds for all
/// ranks together for all-to-all, one message for send-receive. All-reduce runs as ring, tree, NVLS
/// (from Hopper on, over several nodes where the network reduces too), NVLSTree (several nodes) or
/// CollNet direct (where the network reduces); all-gather, reduce-scatter and broadcast as ring;
/// the rest as point to point, LL or Simple. Not modelled: CollNet chain, PAT, and all-gather and
/// reduce-scatter by NVLS. Requires layout.ranks >= 2, message >= 0, traffic laid out for the kind,
/// and a known nccl_version. Source: NCCL src/graph/tuning.cc at v2.10.3, v2.12.12, v2.18.3,
/// v2.19.3, v2.27.3.
std::vector<CollectiveCandidate> collective_candidates(CollectiveKind kind, Bytes message,
                                                       const GroupLayout& layout,
                                                       const NetworkProfile& network);

/// What the links alone take with the algorithm that needs them least, of those that NCCL would
/// consider: nothing faster can be measured. As collective_candidates() requires.
Seconds least_time_on_links(CollectiveKind kind, Bytes message, const GroupLayout& layout,
                            const NetworkProfile& network);

/// NCCL's choice as a flow. One rank, or nothing to send: a transfer of no bytes and no latency.
/// The flow carries what the links carry:
///
///   bytes = message x wire share / units of its traffic x protocol overhead
///
/// Wire share: 2 (n - 1) / n and so on for rings, 1 for the others, whose units are parts of the
/// message. Overhead: LL sends a flag with every word (2), LL128 8 bytes with every 120 (128/120).
/// Where the candidate is slower than the links would let these bytes go, `rate_limit` makes up for
/// it.
Transfer plan_transfer(CollectiveKind kind, Bytes message, const GroupLayout& layout,
                       const NetworkProfile& network);

/// A copy between a rank and its host, or the host's work on its own memory, on such a layout
/// (layout_host_copy, layout_host_memory): what plan_transfer gives for the last three kinds.
///
///   copy    2.8 us from the host, 1.6 us to it, then the bytes at the route's rate
///   update  the bytes at what the memory gives, at most 8 GB/s for each core of the rank's share
///
/// Copies are from pinned memory. Source: latencies fitted to SuperBench's bandwidth tests of V100
/// (median error 0.7 %); a core's rate by Little's law, 12 lines of 64 bytes in flight at 90 ns.
Transfer plan_host_transfer(CollectiveKind kind, Bytes message, const GroupLayout& layout);

/// Uncontended time of a transfer on a layout: latency + bytes / min(rate_limit, pace of its
/// traffic). No bytes: the latency.
Seconds alone_time(const Transfer& transfer, const GroupLayout& layout);

/// Which links a collective's algorithm runs over.
TrafficKind traffic_of(CollectiveKind kind, Algorithm algorithm);

/// Bus bandwidth over algorithm bandwidth: 2 (n-1) / n for all-reduce, (n-1) / n for all-gather,
/// reduce-scatter and all-to-all, 1 for broadcast and send-receive.
double bus_factor(CollectiveKind kind, int ranks);

std::string_view word(CollectiveKind kind);

}  // namespace stepcast
