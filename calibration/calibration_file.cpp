#include "calibration/calibration_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/fields.h"
#include "models/profile_constants.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

// A constant in the form that the profile's own description writes: a number or text with a unit.
nlohmann::json written_constant(const nlohmann::json& whole, const std::string& path) {
  return whole.at(nlohmann::json::json_pointer("/" + path));
}

nlohmann::json whole_profile(const Profile& profile) {
  Profile copy = profile;
  nlohmann::json json;
  json["gpu"] = write_fields([&](Fields& f) { describe(f, copy.gpu); }, true);
  json["network"] = write_fields([&](Fields& f) { describe(f, copy.network); }, true);
  json["framework"] = write_fields([&](Fields& f) { describe(f, copy.framework); }, true);
  return json;
}

}  // namespace

Json calibration_file(const Calibration& calibration, const Scenario& reference) {
  const nlohmann::json whole = whole_profile(calibration.profile);
  nlohmann::json constants = nlohmann::json::object();
  for (const CalibratedConstant& constant : calibration.record.constants) {
    if (constant.prior_kept == 1.0) continue;
    nlohmann::json written = written_constant(whole, constant.path);
    written["fitted_to"] = fmt::format("stepcast calibrate: {:.3g} of the prior's spread is left",
                                       constant.prior_kept);
    constants[nlohmann::json::json_pointer("/" + constant.path)] = std::move(written);
  }
  Json file = {{"schema", 1}, {"title", "Calibrated profile of " + reference.title}};
  for (const auto& [key, part] : constants.items()) file[key] = part;
  CalibrationRecord record = calibration.record;
  file["calibration"] = write_fields([&](Fields& f) { describe(f, record); }, true);
  Scenario scenario = reference;
  scenario.measured.reset();
  file["scenario"] = scenario_to_json(scenario);
  return file;
}

CalibratedCluster read_calibrated_cluster(const std::string& file) {
  const nlohmann::json json = read_json_file(file);
  if (!json.is_object() || !json.contains("calibration") || !json.contains("scenario")) {
    throw InputError({file, ""}, "this is no profile that `stepcast calibrate` wrote");
  }
  ReadOptions options;
  options.profile_file = file;
  Scenario scenario = scenarios_from_json(json["scenario"], file, options).front();
  const auto record = scenario.calibration;
  return {std::move(scenario), record};
}

}  // namespace stepcast
