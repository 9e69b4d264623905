// Many predictions, several at a time: worker processes, so that one that crashes or is killed
// costs its own answer only.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/predict.h"

namespace stepcast {

/// Either a report or what went wrong.
struct PredictionOutcome {
  std::optional<StepReport> report;
  std::string error;
};

/// Told how many are done, after each.
using DoneNote = std::function<void(std::size_t done)>;

/// Predicts every scenario, `jobs` at a time. Outcomes come in the order of the scenarios and do
/// not depend on `jobs`, but for the engine's wall time. Workers are forked at once, while the
/// process is small, and a dead one is replaced. Requires jobs >= 1.
std::vector<PredictionOutcome> predict_all(std::span<const Scenario> scenarios,
                                           const PredictOptions& options, int jobs,
                                           const DoneNote& progress);

/// The same with another way to predict one scenario.
using Predictor = std::function<StepReport(const Scenario&)>;
std::vector<PredictionOutcome> predict_all(std::span<const Scenario> scenarios,
                                           const Predictor& predictor, int jobs,
                                           const DoneNote& progress);

}  // namespace stepcast
