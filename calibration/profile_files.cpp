#include "calibration/profile_files.h"

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/input_error.h"
#include "base/unit_text.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

Json read_ordered(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) throw InputError({file, ""}, "cannot be read");
  return Json::parse(stream);
}

void write_file(const std::string& file, const Json& json) {
  std::ofstream stream(file);
  stream << json.dump(2) << "\n";
  stream.close();
  if (!stream) throw std::runtime_error("cannot write " + file);
}

double four_digits(double value) {
  if (value == 0) return 0;
  const double scale = std::pow(10.0, 3 - std::floor(std::log10(std::abs(value))));
  return std::round(value * scale) / scale;
}

// A quantity is written with its unit, a plain number without: as the file has it.
Json written_value(double value, const Json& as) {
  if (!as.is_string()) return four_digits(value);
  if (parse_seconds(as.get<std::string>())) return to_text(Seconds(value));
  return exact_text(Bytes(std::round(value)));
}

}  // namespace

struct ProfileFiles::Read {
  std::string folder;
  std::map<std::string, Json> files = {};  // by path

  Json& of(const std::string& profile) {
    const auto [place, added] = files.try_emplace(folder + "/profiles/" + profile + ".json");
    if (added) place->second = read_ordered(place->first);
    return place->second;
  }
};

ProfileFiles::ProfileFiles(std::string catalogue_folder)
    : read_(std::make_unique<Read>(Read{std::move(catalogue_folder)})) {}

ProfileFiles::~ProfileFiles() = default;

void ProfileFiles::set_comment(const std::string& profile, const std::string& comment) {
  read_->of(profile)["comment"] = comment;
}

void ProfileFiles::set(const std::string& profile, const std::string& constant,
                       const FittedParameter& fitted, const std::string& fitted_to) {
  Json& file = read_->of(profile)[Json::json_pointer("/" + constant)];
  file["value"] = written_value(fitted.value, file["value"]);
  file["spread"] = four_digits(fitted.spread);
  file["fitted_to"] = fitted_to;
}

void ProfileFiles::write() const {
  for (const auto& [file, json] : read_->files) write_file(file, json);
}

}  // namespace stepcast
