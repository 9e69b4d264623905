// From a scenario to its answer: the path that the whole project is about.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "scenarios/scenario.h"
#include "sim/run.h"
#include "sim/step_report.h"

namespace stepcast {

struct PredictOptions {
  EngineChoice engine = EngineChoice::Event;
  bool links = false;  ///< whether the report says what every link carries
};

/// A step that ran, with all that its timeline refers to.
struct SimulatedStep {
  std::unique_ptr<const StepProgram> program;  ///< what `folded` points to
  FoldedProgram folded;
  EngineRun run;
  std::vector<std::string> link_names;  ///< [folded link]: the one that stands for its class
};

/// Runs a program whose ranks sit as `placement` says. Throws std::runtime_error if the event
/// engine's child process fails.
SimulatedStep run_step(StepProgram program, const Placement& placement, const Cluster& cluster,
                       const NetworkProfile& network, EngineChoice engine);

/// Runs one training step of the scenario. Throws std::runtime_error if the event engine's child
/// process fails.
SimulatedStep simulate(const Scenario& scenario, const PredictOptions& options);

/// The answer for one training step: simulate, then summarize.
StepReport predict(const Scenario& scenario, const PredictOptions& options);

/// The same, and shows the step to `watch` before it is gone: for traces.
using StepWatcher = std::function<void(const Scenario& scenario, const SimulatedStep& step,
                                       const StepReport& report)>;
StepReport predict(const Scenario& scenario, const PredictOptions& options,
                   const StepWatcher& watch);

}  // namespace stepcast
