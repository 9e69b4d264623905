// The judge: SimGrid runs the folded program, its flows sharing links by max-min. The only folder
// that includes SimGrid.
#pragma once

#include "sim/fusing.h"
#include "sim/timeline.h"

namespace stepcast {

/// Runs the program in this process. SimGrid's clock lives as long as the process, so this may be
/// called once in it: run() forks for every simulation.
Timeline run_event_in_this_process(const FoldedProgram& folded, const FusePlan& plan);

}  // namespace stepcast
