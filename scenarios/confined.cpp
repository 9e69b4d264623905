#include "scenarios/confined.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/input_error.h"
#include "scenarios/scenario_reader.h"

namespace stepcast {

namespace {

/// A file that is not there: paths in the text are relative to its folder.
std::string name_in(const std::string& folder) {
  return (std::filesystem::path(folder) / "scenario").string();
}

}  // namespace

std::vector<WrittenScenario> written_scenarios(const std::string& path) {
  ScenarioReader reader(ReadOptions{});
  std::vector<WrittenScenario> scenarios;
  for (const std::string& file : scenario_files(path)) {
    reader.for_each(read_json_file(file), file, [&](const auto& scenario, const auto& place) {
      scenarios.push_back({title_of(scenario, place), scenario.dump()});
    });
  }
  return scenarios;
}

Scenario read_confined(std::string_view text, const std::string& folder) {
  const std::string file = name_in(folder);
  try {
    const nlohmann::json scenario = parse_json(text, file);
    return ScenarioReader(ReadOptions{}, folder).read(scenario, {file, ""});
  } catch (const InputError& error) {
    if (error.place().file != file) throw;
    throw InputError({"", error.place().pointer}, error.problem(), error.hint(), error.details());
  }
}

}  // namespace stepcast
