// Predictions side by side, for people.
#pragma once

#include <span>
#include <string>

#include "reports/prediction.h"

namespace stepcast {

/// The figures of each in a column, what moved from the first to each other, memory by stage, what
/// limits each, and a closing sentence for each other one. Requires at least two predictions.
std::string comparison_text(std::span<const Prediction> predictions);

}  // namespace stepcast
