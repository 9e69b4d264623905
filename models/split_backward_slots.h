// Slot orders of the schedules that split backward passes: ZB-H1, ZB-V, DualPipe.
#pragma once

#include <vector>

#include "models/pipeline_schedule.h"

namespace stepcast {

/// As stage_slots, whose requirements hold.
std::vector<Slot> zero_bubble_slots(const PipelineShape& shape, int stage);
std::vector<Slot> zero_bubble_v_slots(const PipelineShape& shape, int stage);
std::vector<Slot> dual_pipe_slots(const PipelineShape& shape, int stage);

}  // namespace stepcast
