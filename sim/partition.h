// Colour refinement: the coarsest partition of ranks, communicators and links under which members
// of a class cannot be told apart by anything that happens in a step.
#pragma once

#include <vector>

#include "sim/flows.h"

namespace stepcast {

/// Class numbers, dense from 0 in order of first appearance.
struct Partition {
  std::vector<int> rank;
  std::vector<int> communicator;
  std::vector<int> link;  ///< of every link of the cluster; links that no flow crosses share a
                          ///< class by bandwidth
};

/// `rates`: speed of each rank's GPU. Links with other background traffic differ; a background flow
/// over several links sets each of them apart. Exact: contents are compared, not only hashes.
Partition refine(const StepProgram& program, const std::vector<CommunicatorFlows>& flows,
                 const std::vector<double>& rates, const Cluster& cluster);

/// Every object in a class of its own.
Partition discrete_partition(const StepProgram& program, std::size_t num_links);

}  // namespace stepcast
