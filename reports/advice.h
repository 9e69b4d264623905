// The ways out of a step that does not fit, as people and programs read them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sim/advise.h"

namespace stepcast {

/// A row for each way, cheapest first, beside the step as it is.
std::string advice_text(const AdviceReport& advice, const StepReport& as_it_is);

/// The result's key `advice`.
nlohmann::ordered_json advice_json(const AdviceReport& advice);
nlohmann::ordered_json advice_schema();

}  // namespace stepcast
