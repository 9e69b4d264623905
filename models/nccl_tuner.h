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
  bool ll128_over_network;
};

/// Rings that NCCL's search finds, which its caps per channel count; NCCL runs two of each. A
/// layout has one channel a NIC, and one inside a node at the whole NVLink rate, where the search
/// fills that rate with rings of a rung of its speed ladder: 20 GB/s on Volta and Ampere (12 on an
/// A100), 30 on Hopper (12 on an H100), 90 on Blackwell. Before Hopper, rings of 25 GB/s and more
/// over the network are halved and doubled in number. PCIe inside a node carries one. Source:
/// NVIDIA/nccl src/graph/search.cc; counts of channels in logs of NCCL_DEBUG=INFO.
int search_channels(const GroupLayout& layout);

/// Whether NCCL would consider it: trees and NVLS for all-reduce only; NVLS inside one node of
/// Hopper or later and with most of its GPUs; LL128 over NVLink only, and over networks that keep
/// the order of its stores.
bool tuner_allows(const TunedCollective& collective, Algorithm algorithm, Protocol protocol);

/// Steps times hops, before any fitted factor:
///
///   ring   base + (steps - inter) hop_inside + inter hop_network
///   tree   base + 2 ((ranks per node - 1) hop_inside + floor(log2 nodes) hop_network)
///
/// Point to point is not in the tuner: base + rounds x hop of a ring, one round for a message and
/// ceil((n - 1) / 8) for an all-to-all, since a channel serves eight peers at once
/// (NCCL_MAX_DEV_WORK_P2P_PER_BATCH).
Seconds tuner_latency(const TunedCollective& collective, Algorithm algorithm, Protocol protocol);

/// Bytes of the message that it moves in a second, all channels together.
BytesPerSecond tuner_bandwidth(const TunedCollective& collective, Algorithm algorithm,
                               Protocol protocol);

/// Bytes of the message that the links would carry in a second at the search's pace, whatever
/// protocol and threads do. A tree over two nodes sends each byte through a NIC once in each
/// direction, a larger one twice.
BytesPerSecond links_bandwidth(const TunedCollective& collective, Algorithm algorithm);

/// Bytes on a ring's links, all channels together, over the message: 2 (n - 1) / n for a ring
/// all-reduce, (n - 1) / n for a ring all-gather or reduce-scatter, 1 for a broadcast or a message.
/// Tree: 2, as every byte goes up and down. NVLS: (n + 1) / n, as a GPU sends the whole message
/// once and its reduced shard once. All-to-all: what leaves a GPU, (n - 1) / n; over several nodes,
/// what leaves a node.
double wire_share(CollectiveKind kind, Algorithm algorithm, const GroupLayout& layout);

}  // namespace stepcast
