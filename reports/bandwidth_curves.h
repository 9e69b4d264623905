// Bus bandwidths of the collectives that a calibration was given, beside those of the model before
// and after.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "scenarios/calibration_record.h"

namespace stepcast {

/// What the row's collective carries where it takes `time`, as nccl-tests counts it; none where the
/// row is of no collective.
std::optional<BytesPerSecond> bus_bandwidth(const CalibrationResidual& row, Seconds time);

struct BandwidthPoint {
  std::size_t residual = 0;  ///< the row's place in the record
  Bytes message;
  BytesPerSecond measured, before, fitted;
  /// 90 % of single measurements, by the fit's noise: fitted over and times exp(1.645 noise).
  BytesPerSecond low, high;
};

/// One kind of collective on one number of ranks, by rising messages.
struct BandwidthCurve {
  std::string collective;
  int ranks = 0;
  std::vector<BandwidthPoint> points;
};

std::vector<BandwidthCurve> bandwidth_curves(const CalibrationRecord& record);

}  // namespace stepcast
