// Who meets whom in a traced run: communicators and operations, and whether all calls come about.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "models/step_program.h"
#include "scenarios/import/chakra/rank_order.h"
#include "scenarios/import/chakra/traced_step.h"

namespace stepcast {

struct TracedCall {
  int communicator = 0;  ///< of the program
  int operation = 0;
};

/// Communicators, operations and each rank's local numbers, as calls come up.
class TracedCalls {
 public:
  TracedCalls(const std::vector<OrderedRank>& ranks, const TracedGroups& groups,
              StepProgram& program);

  /// Requires a collective, a send or a receive. Throws InputError where the rank is no member.
  TracedCall call(int rank, const TracedNode& node);
  /// By which the rank's text names the communicator.
  int local_number(int rank, int communicator);

 private:
  int communicator_of(int rank, const TracedNode& node);
  int communicator_of_group(int rank, const TracedNode& node);
  int communicator_of_pair(int rank, const TracedNode& node);
  const std::vector<int>& ranks_of_group(int rank, const TracedNode& node) const;
  int add(Communicator communicator);
  [[noreturn]] void refuse(int rank, const TracedNode& node, const std::string& problem,
                           const std::string& hint) const;

  const std::vector<OrderedRank>& ranks_;
  const TracedGroups& groups_;
  StepProgram& program_;
  std::vector<int> everyone_;
  std::map<std::string, int> of_group_;
  std::map<std::tuple<int, int, int>, int> of_pair_;  // sender, receiver, tag
  std::vector<std::map<int, int>> local_;             // [rank] communicator -> local number
};

/// Walks through all streams without a clock. Throws InputError at the first call whose ranks
/// differ in what they do, or that not all of its ranks ever come to.
void rehearse(const std::vector<OrderedRank>& ranks, TracedCalls& calls,
              const StepProgram& program);

}  // namespace stepcast
