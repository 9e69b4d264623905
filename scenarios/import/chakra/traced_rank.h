// Chakra execution traces (MLCommons): what each rank of a run did, as a graph of nodes. One file a
// rank, in protobuf.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.h"
#include "models/collectives.h"

namespace stepcast {

enum class TracedKind : std::uint8_t {
  Nothing,  ///< only orders the nodes around it
  Compute,
  HostCompute,
  Load,  ///< memory, for as long as the trace says
  Store,
  Collective,
  Send,
  Receive
};

struct TracedNode {
  std::uint64_t id = 0;
  std::string name;
  TracedKind kind = TracedKind::Nothing;
  std::vector<std::uint64_t> after;  ///< nodes that end before this one begins
  Seconds duration;                  ///< as traced; 0: not said
  Flop flop;                         ///< of a Compute without a duration
  Bytes bytes;                       ///< that it moves, or that this rank sends or puts in
  CollectiveKind collective = CollectiveKind::AllReduce;
  std::string group;  ///< of a collective; empty: all ranks
  int partner = -1;   ///< of a message
  int tag = 0;
};

struct TracedRank {
  std::string file;
  std::vector<TracedNode> nodes;
};

struct TracedRun {
  std::vector<TracedRank> ranks;
  std::vector<std::string> not_carried;  ///< what the files say that nothing is made of
};

/// Reads PREFIX.0.et, PREFIX.1.et and so on, as many as there are. Throws InputError where there is
/// none or one is missing in between, where a file is none of Chakra's or cut off, and where a
/// collective is not modelled or a message has no partner.
TracedRun read_chakra_traces(const std::string& prefix);

}  // namespace stepcast
