// What a log of NCCL_DEBUG=INFO says was done, beside what the model would have chosen on the same
// cluster.
#pragma once

#include <cctype>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calibration/readers/nccl_info.h"
#include "models/profile.h"
#include "topology/cluster.h"

namespace stepcast {

/// Communicators of as many ranks and channels, seen by however many ranks.
struct ComparedCommunicator {
  int ranks = 0;
  int seen = 0;                            ///< how often the log shows one
  int channels = 0;                        ///< in the log
  std::optional<int> modelled_channels;    ///< empty: no group of the cluster has so many ranks
  std::map<std::string, int> connections;  ///< of all of them
  std::optional<int> crossings;            ///< between nodes, of one whole ring in the log
  std::optional<int> modelled_crossings;
  int line = 0;  ///< of the first
};

struct ComparedCall {
  std::string collective;
  Bytes message;
  std::string logged;    ///< "ring/simple"
  std::string modelled;  ///< empty: not modelled
  int seen = 0;
  int line = 0;
  bool agrees() const { return logged == modelled; }
};

struct NcclComparison {
  std::vector<ComparedCommunicator> communicators;
  std::vector<ComparedCall> calls;
  std::vector<std::string> notes;  ///< versions, networks and forced choices that differ
};

/// The one choice that NCCL_ALGO or NCCL_PROTO forced; none where it was not set, or to a list.
template <class Choice>
std::optional<Choice> forced_choice(const NcclInfoLog& log, const std::string& variable,
                                    std::span<const Choice> all) {
  const auto set = log.environment.find(variable);
  if (set == log.environment.end()) return std::nullopt;
  std::string wanted;
  for (const char c : set->second) {
    if (c != '_') wanted += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  for (const Choice one : all) {
    std::string name(word(one));
    std::erase(name, '_');
    if (name == wanted) return one;
  }
  return std::nullopt;
}

/// Groups are found by their size: all GPUs, one node's, or one of each node. NCCL_ALGO and
/// NCCL_PROTO of the log are taken over where they name one choice. Channels are those that run,
/// two for each that NCCL's search finds.
NcclComparison compare_nccl(const NcclInfoLog& log, const Cluster& cluster, NetworkProfile network);

}  // namespace stepcast
