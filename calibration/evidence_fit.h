// A fit of a profile's constants to evidence, or to a part of it, and what it makes of the rest.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "calibration/evidence.h"
#include "calibration/map_fit.h"
#include "scenarios/calibration_record.h"

namespace stepcast {

/// The value that lies `spreads` of its prior from the prior.
double value_at(const CalibratedConstant& constant, double spreads);

/// Rows of the evidence that feel a constant.
using FeltRows = std::vector<std::size_t>;

/// For each of these constants the measurements that feel it: a change by 1.5 spreads either way
/// moves the prediction by a hundredth of its noise or more.
std::vector<FeltRows> felt_by(const std::vector<CalibratedConstant>& constants,
                              const Profile& prior, std::span<const Evidence> evidence);

struct EvidenceFit {
  Profile profile;  ///< the prior with the fitted values
  /// As given; those that no measurement of the fit felt keep their prior, with prior_kept 1.
  std::vector<CalibratedConstant> constants;
  std::vector<ConstantCorrelation> correlations;  ///< of 0.01 and more
  /// Of all the evidence. One that took no part has the same miss fitted and left out.
  std::vector<FittedMeasurement> measurements;
  bool converged = true;
};

/// The maximum a posteriori: `prior` as prior, the evidence that `takes_part` as data. Where none
/// does, or none is felt, that is the prior.
EvidenceFit fit_evidence(const Profile& prior, const std::vector<CalibratedConstant>& constants,
                         const std::vector<FeltRows>& felt, std::span<const Evidence> evidence,
                         const std::function<bool(const Evidence&)>& takes_part,
                         const FitWatch& watch);

}  // namespace stepcast
