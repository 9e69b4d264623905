// A step's allocations in the form that PyTorch's memory visualiser reads (pytorch.org/memory_viz):
// what torch.cuda.memory._dump_snapshot writes.
#pragma once

#include <ostream>

#include "scenarios/scenario.h"
#include "sim/predict.h"
#include "sim/step_report.h"

namespace stepcast {

/// One step of a GPU of the fullest stage, after as many as it takes for the caching allocator to
/// come to repeat itself. A tensor's stack has two frames: the instruction that allocates it
/// ("forward of micro-batch 3") in a file named after the stage, and the part of memory that it
/// belongs to. Tensors that are alive for the whole step are blocks without events.
void write_memory_snapshot(std::ostream& out, const Scenario& scenario, const SimulatedStep& step,
                           const StepReport& report);

}  // namespace stepcast
