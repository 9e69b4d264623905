// What NCCL's tuner estimates for one algorithm and protocol: whether it may be used, its latency
// and its bandwidth. Which one wins, and what it puts on the links, is collectives.cpp's job.
#pragma once

#include "models/collectives.h"
#include "models/nccl_tables.h"

namespace stepcast {

/// One collective as the tuner sees it. `message` as in collective_candidates.
struct TunedCollective {
  CollectiveKind kind;
  Bytes message;
  const GroupLayout& layout;
  const NcclRelease& release;
  const NetworkProfile& network;  ///< what may cross it, sockets' threads, forced channels
};

/// Whether NCCL would consider it: trees for all-reduce only; NVLS and NVLSTree from Hopper on,
/// under an NVSwitch and with most of a node's GPUs, across nodes NVLS only where the network
/// reduces; CollNet where it does; LL128 over NVLink only, and over networks that keep the order of
/// its stores.
bool tuner_allows(const TunedCollective& collective, Algorithm algorithm, Protocol protocol);

/// Steps times hops, before any fitted factor:
///
///   ring   base + (steps - inter) hop_inside + inter hop_network
///   tree   base + 2 ((ranks per node - 1) hop_inside + floor(log2 nodes) hop_network)
///   NVLS, NVLSTree and CollNet: nccl_tables.h
///
/// Point to point is not in the tuner: base + rounds x hop of a ring, one round for a message and
/// ceil((n - 1) / 8) for an all-to-all, since a channel serves eight peers at once
/// (NCCL_MAX_DEV_WORK_P2P_PER_BATCH).
Seconds tuner_latency(const TunedCollective& collective, Algorithm algorithm, Protocol protocol);

/// Bytes of the message that it moves in a second, all channels together. The tuner does not know
/// point to point: what the links carry, for LL a ring's share of it.
BytesPerSecond tuner_bandwidth(const TunedCollective& collective, Algorithm algorithm,
                               Protocol protocol);

/// Bytes on the links of one unit of each channel, over the message: 2 (n - 1) / n for a ring
/// all-reduce, (n - 1) / n for a ring all-gather or reduce-scatter, 1 for a broadcast or a message,
/// and 1 for everything whose units are parts of the message.
double wire_share(CollectiveKind kind, Algorithm algorithm, int ranks);

}  // namespace stepcast
