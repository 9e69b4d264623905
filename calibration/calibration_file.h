// The profile file that `stepcast calibrate` writes: constants that --profile lays over the
// built-in ones, and beside them the record of how they came about.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "calibration/calibration.h"

namespace stepcast {

/// Only constants that the measurements moved stand under `gpu`, `network` and `framework`. The
/// reference scenario stands under `scenario`, so that later logs of the same cluster need no
/// other.
nlohmann::ordered_json calibration_file(const Calibration& calibration, const Scenario& reference);

/// What such a file holds; throws InputError where the file is none.
struct CalibratedCluster {
  Scenario scenario;  ///< with the calibrated profile
  std::shared_ptr<const CalibrationRecord> record;
};
CalibratedCluster read_calibrated_cluster(const std::string& file);

}  // namespace stepcast
