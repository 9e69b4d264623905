// What a calibration found, and what a check against it found, as text and JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "calibration/drift.h"
#include "scenarios/calibration_record.h"

namespace stepcast {

/// How far a group of measurements lies from the model: medians and 90 % points of |error|.
struct ErrorFigures {
  std::string group;  ///< "all_reduce over 16 ranks", "step_time", ...
  int rows = 0;
  double median_before = 0, p90_before = 0;
  double median_after = 0, p90_after = 0;
  double median_left_out = 0;  ///< with constants fitted to all the other rows
};

std::vector<ErrorFigures> error_figures(const CalibrationRecord& record);

/// Inputs with what was found in them, errors before and after, constants that moved and constants
/// that nothing measured. `full` adds each measurement: of collectives the bus bandwidths.
std::string calibration_text(const CalibrationRecord& record, bool full);

/// The same with everything: the record with `errors` and `bus_bandwidths` beside it.
nlohmann::ordered_json calibration_json(const CalibrationRecord& record);

std::string drift_text(const DriftTest& test, const std::string& profile_file);
nlohmann::ordered_json drift_json(const DriftTest& test);

}  // namespace stepcast
