// The scout: every instruction takes its uncontended time, so a step is a longest path through the
// fixed-order program. A lower bound of the event engine, and equal to it where nothing contends.
#pragma once

#include "sim/fusing.h"
#include "sim/timeline.h"

namespace stepcast {

/// Requires a program whose sends and receives match and whose streams can all finish.
Timeline run_analytic(const FoldedProgram& folded, const FusePlan& plan);

}  // namespace stepcast
