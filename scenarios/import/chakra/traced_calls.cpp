#include "scenarios/import/chakra/traced_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace stepcast {
namespace {

// The whole buffer, as models/collectives.h counts it; Chakra counts what a rank puts in.
Bytes whole_buffer(const TracedNode& node, std::size_t ranks) {
  const bool gathers =
      node.kind == TracedKind::Collective && node.collective == CollectiveKind::AllGather;
  return node.bytes * (gathers ? static_cast<double>(ranks) : 1.0);
}

int index_of(std::vector<Operation>& operations, const Operation& operation) {
  const auto found = std::find(operations.begin(), operations.end(), operation);
  const auto index = static_cast<int>(found - operations.begin());
  if (found == operations.end()) operations.push_back(operation);
  return index;
}

}  // namespace

TracedCalls::TracedCalls(const std::vector<OrderedRank>& ranks, const TracedGroups& groups,
                         StepProgram& program)
    : ranks_(ranks),
      groups_(groups),
      program_(program),
      everyone_(ranks.size()),
      local_(ranks.size()) {
  std::iota(everyone_.begin(), everyone_.end(), 0);
  program_.communicators_of_rank.resize(ranks.size());
}

TracedCall TracedCalls::call(int rank, const TracedNode& node) {
  const int communicator = communicator_of(rank, node);
  const std::size_t members =
      program_.communicators[static_cast<std::size_t>(communicator)].ranks.size();
  const CollectiveKind kind =
      node.kind == TracedKind::Collective ? node.collective : CollectiveKind::SendReceive;
  return {communicator, index_of(program_.operations, {kind, whole_buffer(node, members)})};
}

int TracedCalls::local_number(int rank, int communicator) {
  std::vector<int>& numbers = program_.communicators_of_rank[static_cast<std::size_t>(rank)];
  const auto [found, added] = local_[static_cast<std::size_t>(rank)].try_emplace(
      communicator, static_cast<int>(numbers.size()));
  if (added) numbers.push_back(communicator);
  return found->second;
}

int TracedCalls::communicator_of(int rank, const TracedNode& node) {
  return node.kind == TracedKind::Collective ? communicator_of_group(rank, node)
                                             : communicator_of_pair(rank, node);
}

int TracedCalls::communicator_of_group(int rank, const TracedNode& node) {
  const std::vector<int>& members = ranks_of_group(rank, node);
  if (std::find(members.begin(), members.end(), rank) == members.end()) {
    refuse(rank, node, fmt::format("rank {} is not in its group \"{}\"", rank, node.group),
           "the file of --groups lists the ranks of each");
  }
  const auto [found, added] = of_group_.try_emplace(node.group, 0);
  if (added) found->second = add({members});
  return found->second;
}

int TracedCalls::communicator_of_pair(int rank, const TracedNode& node) {
  if (node.partner == rank || node.partner >= static_cast<int>(ranks_.size())) {
    refuse(rank, node,
           fmt::format("the other rank is {}, expected another one of 0 to {}", node.partner,
                       ranks_.size() - 1),
           "");
  }
  const bool sends = node.kind == TracedKind::Send;
  const int sender = sends ? rank : node.partner;
  const int receiver = sends ? node.partner : rank;
  const auto [found, added] = of_pair_.try_emplace({sender, receiver, node.tag}, 0);
  if (added) found->second = add({{sender, receiver}, CommunicatorKind::Pair});
  return found->second;
}

const std::vector<int>& TracedCalls::ranks_of_group(int rank, const TracedNode& node) const {
  if (node.group.empty()) return everyone_;
  const auto found = groups_.find(node.group);
  if (found != groups_.end()) return found->second;
  refuse(rank, node, fmt::format("the trace does not say who is in its group \"{}\"", node.group),
         fmt::format("--groups FILE.json does, as in {{\"{}\": [0, 1]}}", node.group));
}

int TracedCalls::add(Communicator communicator) {
  program_.communicators.push_back(std::move(communicator));
  return static_cast<int>(program_.communicators.size()) - 1;
}

void TracedCalls::refuse(int rank, const TracedNode& node, const std::string& problem,
                         const std::string& hint) const {
  throw InputError(place_of(*ranks_[static_cast<std::size_t>(rank)].rank, node), problem, hint);
}

}  // namespace stepcast
