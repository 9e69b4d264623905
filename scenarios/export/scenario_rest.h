// What an exported file does not say of its scenario. Private to scenarios/export.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "scenarios/import/imported.h"
#include "scenarios/scenario.h"

namespace stepcast {

/// The scenario as JSON with all its keys and its model written out.
nlohmann::json whole_scenario(const Scenario& scenario);

/// The merge patch (RFC 7396) that makes the scenario of what importing the exported file gives.
nlohmann::json scenario_rest(const Scenario& scenario, const Imported& exported);

/// Its keys, two levels deep: "plan.offload".
std::vector<std::string> keys_of_rest(const nlohmann::json& rest);

}  // namespace stepcast
