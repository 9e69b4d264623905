// Runs the predictions of a command, several at a time, with a line of progress on a terminal.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "reports/prediction.h"
#include "sim/predict_all.h"

namespace stepcast {

/// One outcome for each scenario, in order.
std::vector<PredictionOutcome> predict_with_progress(const std::vector<Scenario>& scenarios,
                                                     const ScenarioOptions& options);

struct Predictions {
  std::vector<Prediction> answers;
  bool complete = true;  ///< false if a prediction failed; stderr says which and how
};

/// The scenarios of every path, in order.
Predictions predict_paths(const ScenarioOptions& options);

/// The only scenario of the paths, predicted in this process; `watch` sees its step. Throws
/// InputError where there are several: `option` is for one.
Predictions predict_one(
    const ScenarioOptions& options, const std::string& option,
    const StepWatcher& watch = [](const Scenario&, const SimulatedStep&, const StepReport&) {});

}  // namespace stepcast
