// The catalogue's profile files as a fit changes them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "calibration/map_fit.h"

namespace stepcast {

/// To four significant digits, as files state constants.
double four_digits(double value);

/// Each file is read once, when it is first asked for; nothing is written before write().
class ProfileFiles {
 public:
  using Json = nlohmann::ordered_json;

  explicit ProfileFiles(std::string catalogue_folder) : folder_(std::move(catalogue_folder)) {}

  /// `profile` as "gpu/a100". Throws InputError where there is no such file.
  Json& of(const std::string& profile);

  /// Value (with a unit where the file has one), spread and what it was fitted to, of a constant
  /// as "gemm/launch".
  void set(const std::string& profile, const std::string& constant, const FittedParameter& fitted,
           const std::string& fitted_to);

  void write() const;

 private:
  std::string folder_;
  std::map<std::string, Json> files_;  ///< by path
};

}  // namespace stepcast
