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
/// collective was measured. Where steps were, the clock is free by 8 %: its spread says how well
/// the mean over clusters is known, and fits to single clusters lie that far from it (power caps,
/// cooling, kernels of another year). So are the latencies of collectives, by 60 %: the 30 % of
/// collective_corrections.h is how far the tuner is off over many clusters; fits to logs of single
/// ones leave 0.4 to 2.7 of it (nccl-tests of 15 clusters).
std::vector<CalibratedConstant> calibratable_constants(const Profile& prior, bool collectives,
                                                       bool steps = false);

/// The maximum a posteriori: the built-in profile as prior, the evidence as data. Step times take
/// part where they speak for other constants than all else does (step_verdict.h); else they only
/// say how far further steps scatter. Constants that nothing moves keep their prior and are listed
/// with prior_kept 1. Requires evidence.
Calibration calibrate(
    const Profile& prior, std::span<const Evidence> evidence, const FitWatch& watch = [] {});

}  // namespace stepcast
