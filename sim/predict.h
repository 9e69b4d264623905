// From a scenario to its answer: the path that the whole project is about.
#pragma once

#include "scenarios/scenario.h"
#include "sim/run.h"
#include "sim/step_report.h"

namespace stepcast {

struct PredictOptions {
  EngineChoice engine = EngineChoice::Event;
};

/// One training step of the scenario. Throws std::runtime_error if the event engine's child process
/// fails.
StepReport predict(const Scenario& scenario, const PredictOptions& options);

}  // namespace stepcast
