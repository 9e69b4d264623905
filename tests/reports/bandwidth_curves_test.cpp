#include "reports/bandwidth_curves.h"

#include <catch2/catch.hpp>
#include <cmath>

namespace stepcast {
namespace {

using Catch::Matchers::WithinRel;

CalibrationResidual all_reduce(Bytes message, double measured, double before, double after) {
  CalibrationResidual row;
  row.kind = "collective";
  row.collective = "all_reduce";
  row.ranks = 16;
  row.message = message;
  row.measured = measured;
  row.before = before;
  row.after = after;
  return row;
}

CalibrationResidual step() {
  CalibrationResidual row;
  row.kind = "step_time";
  row.measured = 2;
  return row;
}

}  // namespace

TEST_CASE("bus bandwidth of an all-reduce: message over time by 2 (n - 1) / n", "[reports]") {
  // 16 ranks: 2 * 15 / 16 = 1.875; 1 GB in 10 ms is 100 GB/s, on the bus 187.5 GB/s.
  const CalibrationResidual row = all_reduce(1_GB, 0.01, 0, 0);
  REQUIRE_THAT(bus_bandwidth(row, 10_ms)->value(), WithinRel(187.5e9, 1e-12));
  REQUIRE_FALSE(bus_bandwidth(step(), 2_s));
}

TEST_CASE("a curve holds its collective's rows by message, each with the band of the noise",
          "[reports]") {
  CalibrationRecord record;
  record.collective_noise = 0.1;
  CalibrationResidual other = all_reduce(1_MB, 1e-3, 0, 0);
  other.ranks = 8;
  record.residuals = {all_reduce(2_GB, 0.02, 0.25, -0.2), step(),
                      all_reduce(1_GB, 0.01, 0.25, -0.2), other};
  const std::vector<BandwidthCurve> curves = bandwidth_curves(record);
  REQUIRE(curves.size() == 2);
  REQUIRE(curves[0].ranks == 16);
  REQUIRE(curves[1].ranks == 8);
  REQUIRE(curves[0].points.size() == 2);
  const BandwidthPoint& first = curves[0].points[0];
  REQUIRE(first.residual == 2);
  REQUIRE(first.message == 1_GB);
  REQUIRE_THAT(first.measured.value(), WithinRel(187.5e9, 1e-12));
  // A time 25 % too long is 1 / 1.25 of the bandwidth, one 20 % too short 1 / 0.8 of it.
  REQUIRE_THAT(first.before.value(), WithinRel(150e9, 1e-12));
  REQUIRE_THAT(first.fitted.value(), WithinRel(234.375e9, 1e-12));
  // exp(0.1645) = 1.178804
  REQUIRE_THAT(first.high / first.fitted, WithinRel(1.178804, 1e-5));
  REQUIRE_THAT(first.fitted / first.low, WithinRel(1.178804, 1e-5));
}

}  // namespace stepcast
