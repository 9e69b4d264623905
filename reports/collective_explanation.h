// An explained collective as people and programs read it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sim/collective_explanation.h"

namespace stepcast {

/// `collective` is what was asked for ("reduce", which costs what a broadcast does), `group` says
/// who takes part, as in "data group of rank 0".
std::string explanation_text(const CollectiveExplanation& explanation,
                             const std::string& collective, const std::string& group);
nlohmann::ordered_json explanation_json(const CollectiveExplanation& explanation,
                                        const std::string& collective, const std::string& group);

}  // namespace stepcast
