// Sets what others claim of a scenario beside what the model predicts.
#pragma once

#include <vector>

#include "scenarios/scenario.h"
#include "sim/step_report.h"

namespace stepcast {

/// One check for every figure in the scenario's `claimed`. Needs the rest of the report filled in.
std::vector<ClaimCheck> check_claims(const Scenario& scenario, const StepReport& report);

/// The predicted peak of the kind that a figure was measured in.
Bytes peak_of_kind(const MemoryReport& memory, MemoryKind kind);

}  // namespace stepcast
