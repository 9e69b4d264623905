// Reads scenarios: from JSON to a job that can run, and back.
#include "scenarios/scenario.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "scenarios/catalogue.h"
#include "scenarios/plan_check.h"
#include "scenarios/profile_choice.h"
#include "scenarios/scenario_fields.h"
#include "scenarios/settings.h"
#include "scenarios/suite.h"

namespace stepcast {

namespace {

using nlohmann::json;

/// The value of a key, which is taken out of the object.
std::optional<json> take(json& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) return std::nullopt;
  std::optional<json> value = std::move(object[key]);
  object.erase(key);
  return value;
}

std::string default_title(const InputPlace& place) {
  const std::string stem = std::filesystem::path(place.file).stem().string();
  return place.pointer.empty() ? stem : stem + " " + place.pointer;
}

/// One text or a list of texts; other forms are refused when the fields are read.
std::vector<std::string> caveats_of(const json& written) {
  if (!written.is_object() || !written.contains("caveats")) return {};
  const json& caveats = written["caveats"];
  if (caveats.is_string()) return {caveats.get<std::string>()};
  return caveats.get<std::vector<std::string>>();
}

/// The title of a scenario that may not be readable.
std::string title_of(const json& scenario, const InputPlace& place) {
  const bool has_title = scenario.is_object() && scenario.contains("title");
  return has_title && scenario["title"].is_string() ? scenario["title"].get<std::string>()
                                                    : default_title(place);
}

/// What only the links can tell is checked by building the cluster, which does not know where
/// faults, background and fabric were written. Nodes are alike, so two show how they are wired.
void check_cluster(const Scenario& scenario, const InputPlace& place) {
  ClusterSpec spec = scenario.cluster;
  const bool few_will_do =
      spec.faults.empty() && spec.background.empty() && spec.fabric.layout != FabricLayout::Torus;
  if (few_will_do) spec.nodes = std::min(spec.nodes, 2);
  try {
    const Cluster cluster(spec);
  } catch (const InputError& error) {
    throw InputError({place.file, place.pointer + error.place().pointer}, error.problem(),
                     error.hint(), error.details());
  }
}

class ScenarioReader {
 public:
  explicit ScenarioReader(const ReadOptions& options)
      : catalogue_(catalogue_folder()),
        settings_(options.settings),
        profiles_(options.profile_file, catalogue_) {}

  /// Hands over each scenario of a file as JSON.
  void for_each(const json& file_json, const std::string& file,
                const std::function<void(const json&, const InputPlace&)>& use) {
    const InputPlace root{file, ""};
    if (is_suite(file_json)) {
      for_each_run(file_json, root, catalogue_, use);
    } else {
      use(file_json, root);
    }
  }

  Scenario read(const json& written, const InputPlace& place) {
    json changed = written;
    settings_.apply(changed, place);
    try {
      return read_changed(std::move(changed), place);
    } catch (const InputError& error) {
      if (settings_.text().empty()) throw;
      std::vector<std::string> details = error.details();
      details.push_back("with " + settings_.text());
      throw InputError(error.place(), error.problem(), error.hint(), details);
    }
  }

 private:
  Scenario read_changed(json written, const InputPlace& place) {
    const std::optional<json> calibration = take(written, "calibration");
    Scenario scenario;
    scenario.title = default_title(place);
    scenario.file = place.file;
    scenario.pointer = place.pointer;
    read_fields(written, place, catalogue_, [&](Fields& f) { describe(f, scenario); });
    scenario.caveats = caveats_of(written);
    check_fabric(scenario, place);
    scenario.profile = profiles_.choose(scenario, calibration ? &*calibration : nullptr, place);
    if (scenario.nccl) scenario.profile.network.nccl = *scenario.nccl;
    complete(scenario.job, num_gpus(scenario.cluster), scenario.profile.framework);
    check_plan(scenario, place);
    check_cluster(scenario, place);
    return scenario;
  }

  void check_fabric(const Scenario& scenario, const InputPlace& place) const {
    if (scenario.cluster.nodes == 1 || has_fabric(scenario.cluster)) return;
    throw InputError(
        child_of(place, "cluster"), fmt::format("{} nodes need a fabric", scenario.cluster.nodes),
        fmt::format("\"fabric\" is one of {}", fmt::join(catalogue_.names("fabrics"), ", ")));
  }

  static void check_plan(const Scenario& scenario, const InputPlace& place) {
    const std::optional<Violation> violation = first_violation(scenario);
    if (!violation) return;
    throw InputError({place.file, place.pointer + violation->key}, violation->problem,
                     violation->hint, violation->details);
  }

  Catalogue catalogue_;
  Settings settings_;
  ProfileChoice profiles_;
};

/// Parts that were read from a path are written whole: the path would not lead there from
/// elsewhere.
void drop_path(std::string& name) {
  if (is_path_name(name)) name.clear();
}

}  // namespace

std::vector<Scenario> scenarios_from_json(const json& json, const std::string& file,
                                          const ReadOptions& options) {
  ScenarioReader reader(options);
  std::vector<Scenario> scenarios;
  reader.for_each(json, file, [&](const auto& scenario, const InputPlace& place) {
    scenarios.push_back(reader.read(scenario, place));
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
      reading.scenarios.push_back(reader.read(scenario, place));
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
  drop_required(schema["properties"]["calibration"]);
  return schema;
}

}  // namespace stepcast
