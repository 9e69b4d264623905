// The nodes of a traced rank in the streams that they run in, and what each waits for there.
#pragma once

#include <array>
#include <vector>

#include "base/input_error.h"
#include "models/step_program.h"
#include "scenarios/import/chakra/traced_rank.h"

namespace stepcast {

/// How far each stream has come: the number of its nodes that have ended.
using Horizon = std::array<int, kNumStreams>;

/// The further of both, in each stream.
void join(Horizon& horizon, const Horizon& other);

struct OrderedNode {
  const TracedNode* node;
  Horizon needs;  ///< before it begins
};

struct OrderedRank {
  const TracedRank* rank;
  std::array<std::vector<OrderedNode>, kNumStreams> streams;
};

Stream stream_of(const TracedNode& node, int rank);

/// Throws InputError where a node depends on one that is not there or, by a circle, on itself.
OrderedRank order_nodes(const TracedRank& traced, int rank);

InputPlace place_of(const TracedRank& rank, const TracedNode& node);

}  // namespace stepcast
