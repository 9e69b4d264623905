// How full each link is while a step runs: what a trace draws beside the work.
#pragma once

#include <vector>

#include "sim/folding.h"
#include "sim/timeline.h"

namespace stepcast {

/// From `at` on, until the next point of the same link.
struct LinkUsePoint {
  Seconds at;
  double share;  ///< of the link's bandwidth
};

/// [folded link] -> its points in time order; empty where the step sends nothing over it.
///
/// A flow counts with its mean rate from the end of its latency to its own end, a block's
/// collectives with their mean over the block. So the area under a link's points is what the link
/// carries (of `link_loads`), whichever engine ran; where flows contend, rates within a flow are
/// evened out. Traffic of other jobs is not counted, and links that can never be the tightest are
/// not among the folded ones (docs/decisions/0005).
std::vector<std::vector<LinkUsePoint>> link_use(const FoldedProgram& folded,
                                                const Timeline& timeline);

}  // namespace stepcast
