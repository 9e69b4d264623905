// Reads scenarios: from JSON to a job that can run, and back.
#include "scenarios/scenario.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/schema_changes.h"
#include "scenarios/alternatives.h"
#include "scenarios/calibration_record.h"
#include "scenarios/catalogue.h"
#include "scenarios/profile_choice.h"
#include "scenarios/scenario_fields.h"
#include "scenarios/scenario_reader.h"
#include "scenarios/search_keys.h"
#include "scenarios/suite.h"

namespace stepcast {

namespace {

using nlohmann::json;

/// Parts that were read from a path are written whole: the path would not lead there from
/// elsewhere.
void drop_path(std::string& name) {
  if (is_path_name(name)) name.clear();
}

/// Of constants that are laid over the built-in profile's, part by part.
json changed_profile_schema(json profile) {
  for (const char* part : {"gpu", "network", "framework"}) {
    profile["properties"][part] = schema_of_changes(profile["properties"][part]);
  }
  profile["properties"]["base"] = {{"type", "string"}, {"description", "profile to change"}};
  return profile;
}

/// A profile's name, or what it changes; its parts are defined in the scenario's schema already.
json calibration_schema(json described) {
  Profile profile;
  json changed = changed_profile_schema(schema_of_fields([&](Fields& f) { describe(f, profile); }));
  changed.erase("$defs");
  described.erase("$ref");
  described["anyOf"] = {{{"type", "string"}}, std::move(changed)};
  return described;
}

}  // namespace

std::vector<Scenario> scenarios_from_json(const json& json, const std::string& file,
                                          const ReadOptions& options) {
  ScenarioReader reader(options);
  std::vector<Scenario> scenarios;
  reader.for_each(json, file, [&](const auto& scenario, const InputPlace& place) {
    scenarios.push_back(reader.read(reader.with_settings(scenario, place), place));
  });
  return scenarios;
}

std::vector<std::string> scenario_files(const std::string& path) {
  if (!std::filesystem::is_directory(path)) return {path};
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  }
  if (files.empty()) throw InputError({path, ""}, "the folder holds no *.json file");
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<Scenario> read_scenarios(const std::string& path, const ReadOptions& options) {
  return scenarios_from_json(read_json_file(path), path, options);
}

SuiteReading read_suite(const std::string& path, const ReadOptions& options) {
  ScenarioReader reader(options);
  const json file_json = read_json_file(path);
  SuiteReading reading;
  reader.for_each(file_json, path, [&](const json& scenario, const InputPlace& place) {
    try {
      reading.scenarios.push_back(reader.read(reader.with_settings(scenario, place), place));
    } catch (const InputError& error) {
      if (!is_suite(file_json)) throw;
      reading.faults.push_back({title_of(scenario, place), error.what()});
    }
  });
  return reading;
}

json scenario_to_json(const Scenario& scenario) {
  Scenario written = scenario;
  drop_path(written.model_name);
  drop_path(written.node_name);
  drop_path(written.cluster.node.gpu.name);
  drop_path(written.fabric_name);
  drop_path(written.price_name);
  json text = write_fields([&](Fields& f) { describe(f, written); }, false);
  if (!scenario.caveats.empty()) text["caveats"] = scenario.caveats;
  return text;
}

json scenario_schema() {
  Scenario scenario;
  json schema = schema_of_fields([&](Fields& f) { describe(f, scenario); });
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "Stepcast scenario";
  json& calibration = schema["properties"]["calibration"];
  calibration = calibration_schema(calibration);
  for (const char* unused : {"profiles", "profiles_changes"}) schema["$defs"].erase(unused);
  schema["properties"]["search"] = search_schema();
  allow_alternatives(schema);
  return schema;
}

json profile_schema() {
  Profile profile;
  json schema = changed_profile_schema(schema_of_fields([&](Fields& f) { describe(f, profile); }));
  CalibrationRecord record;
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "Stepcast profile";
  schema["properties"]["calibration"] = schema_of_fields([&](Fields& f) { describe(f, record); });
  schema["properties"]["scenario"] = {{"type", "object"},
                                      {"description", "what stepcast calibrate was fitted on"}};
  schema["properties"]["schema"] = {{"const", 1}};
  return schema;
}

}  // namespace stepcast
