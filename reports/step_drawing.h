// What the page of a prediction draws beside the result: what ran when, memory over the step, and
// how full the cluster's links are.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>

#include "reports/prediction.h"
#include "sim/predict.h"

namespace stepcast {

/// At most this many pipeline stages are drawn, spread from the first to the last.
inline constexpr int most_stages_drawn = 8;

/// `step_time_s`, `names` and `activities` (the words of spans), `tracks` (of each drawn stage the
/// streams in use, with spans [begin, end, name, activity, micro-batch] in seconds and numbers of
/// words), `memory` (of each drawn stage its [time, allocated bytes]). Spans of one name that lie
/// closer together than a two-thousandth of the step are one.
nlohmann::ordered_json step_drawing(const SimulatedStep& step);

/// `node` and, of several nodes, `network`: maps whose links say how full the fullest of them is.
/// The node is the one with the fullest link inside. Empty where nothing is sent.
nlohmann::ordered_json link_drawing(const Scenario& scenario, Seconds step_time);

/// Both in one, of each of the first predictions (a page of hundreds would not open), whose steps
/// are simulated again with the engine that gave their times. Requires scenarios as they are read.
nlohmann::ordered_json drawings_of(std::span<const Prediction> predictions);

}  // namespace stepcast
