// Predictions as other programs read them: base units, named in the key. docs/ and
// `stepcast schema result` say what the keys mean, from the same lines that write them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "reports/prediction.h"

namespace stepcast {

/// `breakdown_s` sums to `step_time_s` and `memory.parts_bytes` to `memory.peak_bytes`. What a
/// scenario does not ask for (cost, claims) and what there is nothing of (warnings) has no key.
nlohmann::ordered_json result_json(const StepReport& report);

/// JSON Schema (2020-12) of a result. Keys may be added to results, so unknown ones are allowed.
nlohmann::ordered_json result_schema();

/// One prediction: its result. Several: a list of results.
nlohmann::ordered_json results_json(std::span<const Prediction> predictions);

/// Indented by two, with a line's end at the end. Bytes that are no UTF-8 are replaced.
std::string json_text(const nlohmann::ordered_json& json);
std::string json_text(const nlohmann::json& json);

}  // namespace stepcast
