// Where the step goes: the time of the critical rank, cut into disjoint parts that add up to the
// step.
#pragma once

#include <array>

#include "sim/fusing.h"
#include "sim/timeline.h"

namespace stepcast {

struct Breakdown {
  std::array<Seconds, kNumActivities> parts{};
  int rank_class = 0;  ///< the critical one: it finishes last
};

/// Parts along the compute stream of the rank class that ends last. A wait counts as what it waits
/// for; a wait for a pipeline message is communication while the message travels and bubble before.
Breakdown break_down(const FoldedProgram& folded, const Timeline& timeline);

}  // namespace stepcast
