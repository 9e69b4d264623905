// Why a collective runs as it does: what NCCL could choose from, what it cannot, and what limits
// the winner.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/collectives.h"
#include "topology/cluster.h"

namespace stepcast {

struct ExcludedCandidate {
  Algorithm algorithm;
  Protocol protocol;
  std::string reason;
};

/// From this size on, up to the next range's.
struct SizeRange {
  Bytes from;
  Algorithm algorithm;
  Protocol protocol;
};

struct CollectiveExplanation {
  CollectiveKind kind;
  Bytes message;
  GroupLayout layout;
  std::string_view release;       ///< of NCCL, whose constants hold
  std::vector<std::string> nics;  ///< of the group's first node, that the winner uses
  std::string tightest_link;      ///< of the winner; empty where it crosses none
  BytesPerSecond tightest_bandwidth;
  int tightest_weight = 0;                      ///< how often the winner's flow crosses it
  std::vector<CollectiveCandidate> candidates;  ///< NCCL's choice first
  std::vector<ExcludedCandidate> excluded;
  std::vector<SizeRange> ranges;  ///< who wins at which size: powers of two, 8 B to 16 GiB

  const CollectiveCandidate& winner() const { return candidates.front(); }
  /// One sentence: by what the winner beats the next, and where it would not.
  std::string why() const;
};

/// Requires at least two GPUs, exactly two for a send-receive.
CollectiveExplanation explain_collective(CollectiveKind kind, Bytes message, const Cluster& cluster,
                                         std::span<const GpuId> gpus,
                                         const NetworkProfile& network);

/// "ring/simple"
std::string candidate_name(Algorithm algorithm, Protocol protocol);

}  // namespace stepcast
