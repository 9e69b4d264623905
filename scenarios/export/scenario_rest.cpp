#include "scenarios/export/scenario_rest.h"

#include <nlohmann/json.hpp>

#include "scenarios/scenario_reader.h"

namespace stepcast {
namespace {

using nlohmann::json;

// What turns `from` into `to`: RFC 7396 has null for what goes.
json merge_patch_between(const json& from, const json& to) {
  json patch = json::object();
  for (const auto& [key, value] : from.items()) {
    if (!to.contains(key)) patch[key] = nullptr;
  }
  for (const auto& [key, value] : to.items()) {
    if (!from.contains(key)) {
      patch[key] = value;
    } else if (from[key].is_object() && value.is_object()) {
      json inside = merge_patch_between(from[key], value);
      if (!inside.empty()) patch[key] = std::move(inside);
    } else if (from[key] != value) {
      patch[key] = value;
    }
  }
  return patch;
}

// Enough around what the file says for it to read: parts of the cluster, which no file names, and
// the model and batch where it says nothing of them.
json readable(const json& said, const json& whole) {
  json scenario = said;
  scenario["schema"] = 1;
  for (const char* key : {"node", "fabric", "nodes"}) {
    if (whole["cluster"].contains(key)) scenario["cluster"][key] = whole["cluster"][key];
  }
  if (!said.contains("model")) scenario["model"] = whole["model"];
  for (const auto& [key, value] : whole["batch"].items()) {
    if (!scenario["batch"].contains(key)) scenario["batch"][key] = value;
  }
  // An import would assume its own.
  for (const char* key : {"framework", "attention", "precision"}) {
    if (!said.contains(key)) scenario[key] = whole[key];
  }
  return scenario;
}

}  // namespace

json whole_scenario(const Scenario& scenario) {
  Scenario inline_model = scenario;
  inline_model.model_name.clear();
  return scenario_to_json(inline_model);
}

json scenario_rest(const Scenario& scenario, const Imported& exported) {
  const json whole = whole_scenario(scenario);
  const json& said = *exported.scenario;
  const json attempt = readable(said, whole);
  ScenarioReader reader({});
  const json read = whole_scenario(reader.read_without_plan(attempt, {exported.file, ""}));
  const json rest = merge_patch_between(read, whole);
  json filled = merge_patch_between(said, attempt);  // to read it: not said
  filled.erase("schema");
  filled.merge_patch(rest);
  return filled;
}

std::vector<std::string> keys_of_rest(const json& rest) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : rest.items()) {
    const bool opened = key == "plan" || key == "cluster" || key == "batch" || key == "runtime";
    if (!opened || !value.is_object()) {
      keys.push_back(key);
      continue;
    }
    for (const auto& [inside, unused] : value.items()) keys.push_back(key + "." + inside);
  }
  return keys;
}

}  // namespace stepcast
