// What a collective costs when nothing else uses the links, as NCCL's own tuner computes it, and
// what it puts on them. Contention is the event engine's job.
#pragma once

#include <string_view>
#include <vector>

#include "base/units.h"
#include "models/profile.h"
#include "topology/group_layout.h"

namespace stepcast {

enum class CollectiveKind { AllReduce, AllGather, ReduceScatter, Broadcast, AllToAll, SendReceive };
enum class Algorithm { Ring, Tree, PointToPoint };
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
  Bytes bytes;                 ///< per channel, whole bytes (SimGrid takes integers; both engines use these)
  BytesPerSecond rate_limit;   ///< per channel; what the protocol and its threads can move, 0: no limit
};

/// All candidates that the version and the network allow, fastest first. `message` is the whole
/// buffer of the collective as nccl-tests counts it: per rank for all-reduce and broadcast, the
/// gathered size for all-gather, the size before scattering for reduce-scatter, what one rank sends
/// in total for all-to-all, one message for send-receive.
/// Requires layout.ranks >= 2 and message >= 0.
/// Source: NCCL src/graph/tuning.cc at v2.10.3, v2.18.3 and v2.27.3.
std::vector<CollectiveCandidate> collective_candidates(CollectiveKind kind, Bytes message, const GroupLayout& layout, const NetworkProfile& network);

/// The fastest candidate as a flow. One rank, or nothing to send: a transfer of no bytes and no latency.
Transfer plan_transfer(CollectiveKind kind, Bytes message, const GroupLayout& layout, const NetworkProfile& network);

/// Uncontended time of a transfer on a layout: latency + bytes / min(rate_limit, channel_bandwidth).
Seconds alone_time(const Transfer& transfer, const GroupLayout& layout);

/// Bus bandwidth over algorithm bandwidth: 2 (n-1) / n for all-reduce, (n-1) / n for all-gather,
/// reduce-scatter and all-to-all, 1 for broadcast and send-receive.
double bus_factor(CollectiveKind kind, int ranks);

std::string_view word(CollectiveKind kind);
std::string_view word(Algorithm algorithm);
std::string_view word(Protocol protocol);

}  // namespace stepcast
