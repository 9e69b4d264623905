// The folded cluster as a SimGrid platform: a link for each link class, and for every path that a
// communicator's flow takes two hosts of its own, so that any list of links can be a route and a
// repeated link is a weight. A flow's rate limit is one more link, which bounds each flow by
// itself.
#pragma once

#include <vector>

#include "sim/folding.h"

namespace simgrid::s4u {
class Host;
}

namespace stepcast {

struct Path {
  simgrid::s4u::Host* from = nullptr;
  simgrid::s4u::Host* to = nullptr;
};

struct Platform {
  simgrid::s4u::Host* walkers = nullptr;  ///< where all actors live; nothing executes on it
  std::vector<std::vector<Path>>
      paths;  ///< [folded communicator][operation]; empty where nothing flows
  std::vector<Path> background;
};

/// Builds the platform of the process's engine. Flows with equal links and limits share a path.
Platform build_platform(const FoldedProgram& folded);

}  // namespace stepcast
