// What each communicator of a program puts on the cluster's links: the step between a program of
// ranks and a partition of it.
#pragma once

#include <set>
#include <vector>

#include "models/collectives.h"
#include "models/step_program.h"
#include "topology/group_layout.h"
#include "topology/placement.h"

namespace stepcast {

/// A member of a communicator and the local number by which its program calls it.
struct Member {
  int rank;
  int local_number;
};

struct CommunicatorFlows {
  std::vector<Member> members;
  PerTraffic<std::vector<WeightedLink>> links;  ///< of the kinds of traffic that its transfers are
  std::vector<Transfer> transfers;  ///< [operation]; empty transfers for operations it never runs
  bool stays_in_memory = false;     ///< runs over a host memory's links and no others
};

/// How a communicator of the whole job lies on the cluster; `all_to_all`: that traffic too.
GroupLayout communicator_layout(const Communicator& communicator, const Placement& placement,
                                const Cluster& cluster, bool all_to_all);

/// [local number] -> operations that a rank's program runs on that communicator.
std::vector<std::set<int>> operations_by_group(const RankProgram& rank);

/// One entry per communicator of the program that any instruction uses; the others stay empty.
std::vector<CommunicatorFlows> communicator_flows(const StepProgram& program,
                                                  const Placement& placement,
                                                  const Cluster& cluster,
                                                  const NetworkProfile& network);

}  // namespace stepcast
