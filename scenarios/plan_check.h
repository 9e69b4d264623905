// What a scenario's cluster refuses that its plan alone would allow.
#pragma once

#include <optional>

#include "scenarios/scenario.h"

namespace stepcast {

/// GPUs in use.
int num_gpus(const ClusterSpec& cluster);

/// A precision or a kernel that the GPU does not have, whatever the plan.
std::optional<Violation> kernel_violation(const Scenario& scenario);

/// Why a completed scenario cannot run: the first of the plan's violations, or a kernel that the
/// GPU does not have.
std::optional<Violation> first_violation(const Scenario& scenario);

}  // namespace stepcast
