// Whether today's collectives agree with a calibrated profile, and if not, what changed.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "calibration/evidence.h"
#include "scenarios/calibration_record.h"

namespace stepcast {

/// One kind of link, or of time, that all collectives which use it share.
struct LinkClass {
  std::string name;     ///< "bandwidth between nodes"
  double ratio = 1.0;   ///< time it costs today over what the profile says
  double spread = 0.0;  ///< relative, of that ratio: from today's rows and from the profile
  double z = 0.0;       ///< log(ratio) / spread
};

struct DriftTest {
  int rows = 0;
  double statistic = 0.0;          ///< chi squared over the link classes together
  int freedom = 0;                 ///< as many as classes that today's rows can see
  double p_value = 1.0;            ///< of as much change or more by chance
  bool changed = false;            ///< p below 1 %, and a class off by 5 % or more
  std::vector<LinkClass> classes;  ///< furthest off first
};

/// Fits one factor for each class to today's rows, with the profile's values as prior, and sets all
/// of them together beside what their covariance lets expect:
///
///   statistic = d^T C^-1 d,   d = log ratios,   C = covariance of today's fit + common
///
/// A row's noise is what the calibration found; rows of one log lie off together where the form is
/// off, so no class is known better than a third of that noise. Requires rows.
DriftTest test_drift(std::span<const Evidence> rows, const Profile& calibrated,
                     const CalibrationRecord& record);

}  // namespace stepcast
