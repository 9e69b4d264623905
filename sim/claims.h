// Sets what others claim of a scenario beside what the model predicts.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "scenarios/scenario.h"
#include "sim/step_report.h"

namespace stepcast {

/// One check for every figure in the scenario's `claimed`. Needs the rest of the report filled in.
std::vector<ClaimCheck> check_claims(const Scenario& scenario, const StepReport& report);

/// What the claim's technique does beside the run without it.
std::vector<ClaimCheck> check_comparison(const ClaimedComparison& claimed, const StepReport& report,
                                         const StepReport& without);

/// For each scenario the index of the one that its claims compare it with: by title, in the same
/// file. Throws InputError where there is none.
std::vector<std::optional<std::size_t>> compared_runs(std::span<const Scenario> scenarios);

/// The predicted peak of the kind and place that a figure was measured in.
Bytes peak_of_kind(const MemoryReport& memory, MemoryKind kind, MemoryPlace place);
/// Beside a measured figure.
Bytes measured_peak(const MemoryReport& memory, const Figures& measured);

}  // namespace stepcast
