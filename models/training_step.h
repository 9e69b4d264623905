// Writes the step program of one training step: the only place that turns model, plan, schedule,
// ZeRO, recompute and framework habits into instructions. Engines know none of them.
#pragma once

#include "models/device.h"
#include "models/profile.h"
#include "models/step_program.h"
#include "models/training_job.h"
#include "topology/placement.h"

namespace stepcast {

/// The programs of the stages and their operations, without ranks and groups. Costs no more for
/// many ranks. Requires the same as training_step.
StepProgram stage_programs(const TrainingJob& job, const Profile& profile, const Device& device,
                           const Placement& placement, const Cluster& cluster);

/// Gives every placed rank its stage's program and its groups.
void add_ranks(const TrainingJob& job, const FrameworkProfile& framework,
               const Placement& placement, StepProgram& program);

/// One program per pipeline stage, shared by all its ranks; instructions as streams, layers as
/// blocks. Compute times contain the host's pace and the wait for the slowest of all ranks.
/// Requires a completed job without violations and a placement of all its ranks.
StepProgram training_step(const TrainingJob& job, const Profile& profile, const Device& device,
                          const Placement& placement, const Cluster& cluster);

}  // namespace stepcast
