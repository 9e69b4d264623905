// What a stage's ranks hold throughout a step: model state on the GPU and in the host's memory,
// workspaces, and what lies outside the allocator.
#pragma once

#include <optional>

#include "models/stage_blocks.h"

namespace stepcast {

/// Fills in the resident memory of a rank that holds `share`.
void add_residents(const ModelShare& share, const StepContext& context, RankProgram& rank);

/// Where the job leaves it open whether gradients are kept in fp32: a tensor of what they take
/// beyond the residents if they are, for the writer to allocate and free. After add_residents.
std::optional<int> add_open_gradients(const ModelShare& share, const StepContext& context,
                                      RankProgram& rank);

}  // namespace stepcast
