// When the tensors of a program are alive, and what they add up to at their peak.
#pragma once

#include <vector>

#include "models/profile.h"
#include "sim/folding.h"
#include "sim/step_report.h"
#include "sim/timeline.h"

namespace stepcast {

/// The peak of every pipeline stage (programs of ranks that do the same), in stage order: resident
/// parts plus the tensors that the compute stream has allocated and not yet freed.
std::vector<StageMemory> stage_memory(const FoldedProgram& folded, const Timeline& timeline,
                                      const FrameworkProfile& framework);

/// P(device memory > capacity) when the logarithm of the predicted peak errs by `spread`.
double out_of_memory_probability(Bytes device, Bytes capacity, double spread);

}  // namespace stepcast
