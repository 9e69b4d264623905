// Turns what ran into the answer: rates, memory, cost, claims, and what limits the step.
#pragma once

#include "scenarios/scenario.h"
#include "sim/folding.h"
#include "sim/run.h"
#include "sim/step_report.h"

namespace stepcast {

StepReport summarize(const EngineRun& run, const FoldedProgram& folded, const Scenario& scenario);

}  // namespace stepcast
