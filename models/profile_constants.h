// The fitted constants of a profile as a table, by their path in its JSON: for fits, calibration
// and sensitivity, which treat every constant alike. The table is read off the profile's one
// description.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "models/profile.h"

namespace stepcast {

/// One constant inside a profile, which must outlive it and stay where it is.
class ConstantRef {
 public:
  using Target = std::variant<double*, Seconds*, Bytes*>;

  ConstantRef(std::string path, Target value, double& spread, std::string& fitted_to)
      : path_(std::move(path)), value_(value), spread_(&spread), fitted_to_(&fitted_to) {}

  /// Keys down to the constant, such as "gpu/gemm/peak_share".
  const std::string& path() const { return path_; }

  /// In the base unit.
  double value() const;
  void set_value(double value) const;

  /// One standard deviation over the value.
  double& spread() const { return *spread_; }
  std::string& fitted_to() const { return *fitted_to_; }

 private:
  std::string path_;
  Target value_;
  double* spread_;
  std::string* fitted_to_;
};

/// Every constant of one part, in the order of its description: paths without the part's name.
std::vector<ConstantRef> constants_of(GpuProfile& profile);
std::vector<ConstantRef> constants_of(NetworkProfile& profile);
std::vector<ConstantRef> constants_of(FrameworkProfile& profile);

/// Those of all three parts, their paths beginning with "gpu/", "network/" and "framework/".
std::vector<ConstantRef> constants_of(Profile& profile);

}  // namespace stepcast
