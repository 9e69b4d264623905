// What the two commands that fit built-in profiles print.
#pragma once

#include <string>
#include <vector>

#include "calibration/profile_fit.h"

namespace stepcast {

/// Relative errors of what was predicted.
class FitErrors {
 public:
  void add(double error);
  /// How many there are, their mean and median without sign, and their mean.
  std::vector<std::string> cells() const;

 private:
  std::vector<double> errors_;
};

struct HalvesErrors {
  std::string name;
  FitErrors fitted;
  FitErrors judging;
};

/// A row for each name, either half's errors side by side.
std::string halves_table(const std::string& title, const std::vector<HalvesErrors>& rows);

/// Every constant with its prior and what the fit made of it, in base units.
std::string constants_table(const std::vector<ProfilePrior>& priors, const MapFit& fit);

}  // namespace stepcast
