#include "scenarios/scenario_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "scenarios/alternatives.h"
#include "scenarios/plan_check.h"
#include "scenarios/scenario_fields.h"
#include "scenarios/search_keys.h"
#include "scenarios/suite.h"

namespace stepcast {

namespace {

using nlohmann::json;

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

void refuse_violation(const std::optional<Violation>& violation, const InputPlace& place) {
  if (!violation) return;
  throw InputError({place.file, place.pointer + violation->key}, violation->problem,
                   violation->hint, violation->details);
}

}  // namespace

std::optional<json> take(json& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) return std::nullopt;
  std::optional<json> value = std::move(object[key]);
  object.erase(key);
  return value;
}

std::string title_of(const json& scenario, const InputPlace& place) {
  const bool has_title = scenario.is_object() && scenario.contains("title");
  return has_title && scenario["title"].is_string() ? scenario["title"].get<std::string>()
                                                    : default_title(place);
}

ScenarioReader::ScenarioReader(const ReadOptions& options)
    : ScenarioReader(options, Catalogue(catalogue_folder())) {}

ScenarioReader::ScenarioReader(const ReadOptions& options, const std::string& readable)
    : ScenarioReader(options, Catalogue(catalogue_folder(), readable)) {}

ScenarioReader::ScenarioReader(const ReadOptions& options, Catalogue catalogue)
    : catalogue_(std::move(catalogue)),
      settings_(options.settings, options.merge_patch),
      profiles_(options.profile_file, catalogue_) {}

void ScenarioReader::for_each(const json& file_json, const std::string& file,
                              const std::function<void(const json&, const InputPlace&)>& use) {
  const InputPlace root{file, ""};
  if (is_suite(file_json)) {
    for_each_run(file_json, root, catalogue_, use);
  } else {
    use(file_json, root);
  }
}

json ScenarioReader::with_settings(const json& written, const InputPlace& place) const {
  json changed = written;
  settings_.apply(changed, place);
  return changed;
}

Scenario ScenarioReader::read(const json& changed, const InputPlace& place) {
  try {
    refuse_alternatives(changed, place);
    Scenario scenario = read_parts(changed, place);
    complete(scenario.job, num_gpus(scenario.cluster), scenario.profile.framework);
    refuse_violation(first_violation(scenario), place);
    check_cluster(scenario, place);
    return scenario;
  } catch (const InputError& error) {
    refuse(error);
  }
}

Scenario ScenarioReader::read_without_plan(const json& changed, const InputPlace& place) {
  try {
    Scenario scenario = read_parts(changed, place);
    refuse_violation(kernel_violation(scenario), place);
    check_cluster(scenario, place);
    return scenario;
  } catch (const InputError& error) {
    refuse(error);
  }
}

/// The command line may be what is wrong with the file.
void ScenarioReader::refuse(const InputError& error) const {
  std::vector<std::string> details = error.details();
  if (!settings_.text().empty()) details.push_back("with " + settings_.text());
  throw InputError(error.place(), error.problem(), error.hint(), details);
}

Scenario ScenarioReader::read_parts(json changed, const InputPlace& place) {
  const std::optional<json> calibration = take(changed, "calibration");
  const std::optional<json> search = take(changed, "search");
  if (search) read_search_keys(*search, child_of(place, "search"));
  Scenario scenario;
  scenario.title = default_title(place);
  scenario.file = place.file;
  scenario.pointer = place.pointer;
  read_fields(changed, place, catalogue_, [&](Fields& f) { describe(f, scenario); });
  scenario.caveats = caveats_of(changed);
  check_fabric(scenario, place);
  scenario.profile = profiles_.choose(scenario, calibration ? &*calibration : nullptr, place);
  if (scenario.nccl) scenario.profile.network.nccl = *scenario.nccl;
  scenario.calibration = profiles_.record();
  scenario.calibration_notes = profiles_.parts_left_out(scenario);
  return scenario;
}

void ScenarioReader::check_fabric(const Scenario& scenario, const InputPlace& place) const {
  if (scenario.cluster.nodes == 1 || has_fabric(scenario.cluster)) return;
  throw InputError(
      child_of(place, "cluster"), fmt::format("{} nodes need a fabric", scenario.cluster.nodes),
      fmt::format("\"fabric\" is one of {}", fmt::join(catalogue_.names("fabrics"), ", ")));
}

}  // namespace stepcast
