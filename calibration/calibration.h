// From measurements to a profile: which constants they move, and the fit that moves them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "calibration/evidence.h"
#include "calibration/map_fit.h"
#include "scenarios/calibration_record.h"

namespace stepcast {

struct Calibration {
  Profile profile;  ///< the prior with the fitted values
  CalibrationRecord record;
};

/// The constants of `prior` as parameters: by a factor, with the spread that the profile states;
/// the launch time and the ramps, which may be 0, by adding. Left out are constants that are
/// certain (spread 0) or 0, those that describe noise, and the corrections of collectives unless a
/// collective was measured.
std::vector<CalibratedConstant> calibratable_constants(const Profile& prior, bool collectives);

/// For each of these constants the measurements that feel it: a change by 1.5 spreads either way
/// moves the prediction by a hundredth of its noise or more.
std::vector<std::vector<std::size_t>> felt_by(const std::vector<CalibratedConstant>& constants,
                                              const Profile& prior,
                                              std::span<const Evidence> evidence);

/// The maximum a posteriori: the built-in profile as prior, the evidence as data. Constants that
/// nothing feels keep their prior and are listed with prior_kept 1. Requires evidence.
Calibration calibrate(const Profile& prior, std::span<const Evidence> evidence);

}  // namespace stepcast
