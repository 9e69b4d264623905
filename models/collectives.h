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
enum class Algorithm { Ring, Tree, Nvls, PointToPoint };
enum class Protocol { LL, LL128, Simple };

/// One way to run a collective, uncontended: time = latency + message / algorithm_bandwidth.
struct CollectiveCandidate {
  Algorithm algorithm;
  Protocol protocol;
  Seconds latency;
  BytesPerSecond algorithm_bandwidth;
  Seconds time;
};

/// What one rank's link sees of a collective: after `latency`, one coupled flow of `bytes` over the
/// group's ring (GroupLayout::ring, weights counted) that no link nor `rate_limit` lets go faster.
/// Alone it takes exactly the candidate's time.
struct Transfer {
  Seconds latency;
  Bytes bytes;                ///< per channel, whole bytes (SimGrid takes integers)
  BytesPerSecond rate_limit;  ///< per channel; what protocol and threads can move, 0: no limit
};

/// All candidates that the release and the network allow, fastest first:
///
///   latency              (network.launch + latency factor x the tuner's latency) x f
///   algorithm_bandwidth  bandwidth factor x the tuner's / ((1 + ramp sqrt(latency / flow)) x f)
///
/// with the profile's factors for groups that cross the network or for those inside a node, and its
/// corrections (collective_corrections.h): by algorithm and protocol, `ramp`, and f by size. A
/// correction above 1 makes no collective faster than its links carry. `message` is
/// the whole buffer of the collective as nccl-tests counts it: per rank for all-reduce and
/// broadcast, the gathered size for all-gather, the size before scattering for reduce-scatter, what
/// one rank holds for all ranks together for all-to-all, one message for send-receive. All-reduce
/// runs as ring, tree or (on one node from Hopper on) NVLS; all-gather, reduce-scatter and
/// broadcast as ring; the rest as point to point, LL or Simple. Not modelled: CollNet, NVLS over
/// several nodes, PAT, and what an all-to-all's peers cost PCIe and sockets beyond a ring.
/// Requires layout.ranks >= 2, message >= 0 and a known nccl_version.
/// Source: NCCL src/graph/tuning.cc at v2.10.3, v2.18.3 and v2.27.3.
std::vector<CollectiveCandidate> collective_candidates(CollectiveKind kind, Bytes message,
                                                       const GroupLayout& layout,
                                                       const NetworkProfile& network);

/// The fastest candidate as a flow. One rank, or nothing to send: a transfer of no bytes and no
/// latency. The flow carries what the links carry:
///
///   bytes = message x wire share / channels x protocol overhead
///
/// Wire share: 2 (n - 1) / n and so on for rings, 2 for trees, whose flow stands on the ring's
/// links. Overhead: LL sends a flag with every word (2), LL128 8 bytes with every 120 (128/120).
/// Where the candidate is slower than the links would let these bytes go, `rate_limit` makes up for
/// it; where it is faster, there are fewer bytes: a tree over two nodes sends each byte through a
/// NIC once, a ring nearly twice, so there the tuner's tree outruns the ring's links.
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

/// Uncontended time of a transfer on a layout: latency + bytes / min(rate_limit,
/// channel_bandwidth). No bytes: the latency.
Seconds alone_time(const Transfer& transfer, const GroupLayout& layout);

/// Bus bandwidth over algorithm bandwidth: 2 (n-1) / n for all-reduce, (n-1) / n for all-gather,
/// reduce-scatter and all-to-all, 1 for broadcast and send-receive.
double bus_factor(CollectiveKind kind, int ranks);

std::string_view word(CollectiveKind kind);
std::string_view word(Algorithm algorithm);
std::string_view word(Protocol protocol);

}  // namespace stepcast
