#include "reports/bandwidth_curves.h"

#include <algorithm>
#include <cmath>

#include "models/collectives.h"

namespace stepcast {
namespace {

constexpr double normal_of_90 = 1.645;

BandwidthPoint point_of(const CalibrationRecord& record, std::size_t residual) {
  const CalibrationResidual& row = record.residuals[residual];
  const auto bandwidth = [&](double error) {
    return *bus_bandwidth(row, Seconds(row.measured) * (1 + error));
  };
  const BytesPerSecond fitted = bandwidth(row.after);
  const double reach = std::exp(normal_of_90 * record.collective_noise);
  return {residual, row.message,    bandwidth(0),  bandwidth(row.before),
          fitted,   fitted / reach, fitted * reach};
}

}  // namespace

std::optional<BytesPerSecond> bus_bandwidth(const CalibrationResidual& row, Seconds time) {
  for (const CollectiveKind kind :
       {CollectiveKind::AllReduce, CollectiveKind::AllGather, CollectiveKind::ReduceScatter,
        CollectiveKind::Broadcast, CollectiveKind::AllToAll, CollectiveKind::SendReceive}) {
    if (row.collective == word(kind)) return row.message / time * bus_factor(kind, row.ranks);
  }
  return std::nullopt;
}

std::vector<BandwidthCurve> bandwidth_curves(const CalibrationRecord& record) {
  std::vector<BandwidthCurve> curves;
  for (std::size_t i = 0; i < record.residuals.size(); ++i) {
    const CalibrationResidual& row = record.residuals[i];
    if (!bus_bandwidth(row, Seconds(row.measured))) continue;
    auto curve = std::find_if(curves.begin(), curves.end(), [&](const BandwidthCurve& one) {
      return one.collective == row.collective && one.ranks == row.ranks;
    });
    if (curve == curves.end()) {
      curve = curves.insert(curves.end(), {row.collective, row.ranks, {}});
    }
    curve->points.push_back(point_of(record, i));
  }
  for (BandwidthCurve& curve : curves) {
    std::stable_sort(
        curve.points.begin(), curve.points.end(),
        [](const BandwidthPoint& a, const BandwidthPoint& b) { return a.message < b.message; });
  }
  return curves;
}

}  // namespace stepcast
