// The best layouts of several clusters side by side: the planner's question.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "reports/sweep.h"

namespace stepcast {

/// A line for each cluster: its best layout, time and cost of the training, what limits it; then
/// the best layouts compared as predictions are. Clusters without a layout that meets the goal are
/// named. Requires an answer.
std::string search_comparison_text(std::span<const SweepAnswer> answers);

/// As comparison_json, with the whole answer of each search at `searches`. Of fewer than two best
/// layouts nothing is compared.
nlohmann::ordered_json search_comparison_json(std::span<const SweepAnswer> answers);

/// The best predictions, of the answers that have one.
std::vector<Prediction> best_of(std::span<const SweepAnswer> answers);

}  // namespace stepcast
