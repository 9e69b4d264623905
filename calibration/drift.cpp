#include "calibration/drift.h"

#include <Eigen/Dense>
#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>

#include "base/contract.h"
#include "calibration/map_fit.h"

namespace stepcast {
namespace {

struct ClassModel {
  std::string name;
  void (*scale_time)(NetworkProfile&, double);  ///< makes it take `factor` times as long
  bool across;                                  ///< felt by groups that cross the network
};

const std::vector<ClassModel>& class_models() {
  static const std::vector<ClassModel> models{
      {"bandwidth between nodes",
       [](NetworkProfile& n, double f) { n.bandwidth_factor.value /= f; }, true},
      {"latency between nodes", [](NetworkProfile& n, double f) { n.latency_factor.value *= f; },
       true},
      {"bandwidth inside a node",
       [](NetworkProfile& n, double f) { n.intra_bandwidth_factor.value /= f; }, false},
      {"latency inside a node",
       [](NetworkProfile& n, double f) { n.intra_latency_factor.value *= f; }, false}};
  return models;
}

std::vector<ClassModel> classes_seen(std::span<const Evidence> rows) {
  std::vector<ClassModel> seen;
  for (const ClassModel& model : class_models()) {
    const bool any = std::any_of(rows.begin(), rows.end(), [&](const Evidence& row) {
      return (row.collective->nodes > 1) == model.across;
    });
    if (any) seen.push_back(model);
  }
  return seen;
}

MapFit fit_classes(const std::vector<ClassModel>& classes, std::span<const Evidence> rows,
                   const Profile& calibrated, double noise) {
  constexpr double kAnyChange = 1.0;  // a factor of e either way: no opinion
  FitProblem problem;
  for (const ClassModel& model : classes) problem.parameters.push_back({model.name, 1, kAnyChange});
  for (const Evidence& row : rows) problem.measurements.push_back({row.name, row.measured, noise});
  problem.predict = [&](std::span<const double> factors) {
    Profile today = calibrated;
    for (std::size_t i = 0; i < classes.size(); ++i)
      classes[i].scale_time(today.network, factors[i]);
    std::vector<double> predicted;
    for (const Evidence& row : rows) predicted.push_back(row.predict(today));
    return predicted;
  };
  return fit_map(problem);
}

// A class is no better known than the share of a row's noise that rows have in common.
double common_spread(const CalibrationRecord& record) { return record.collective_noise / 3; }

Eigen::MatrixXd covariance_of(const MapFit& fit, const CalibrationRecord& record) {
  const auto count = static_cast<Eigen::Index>(fit.parameters.size());
  Eigen::MatrixXd covariance(count, count);
  for (Eigen::Index p = 0; p < count; ++p) {
    for (Eigen::Index q = 0; q < count; ++q) {
      const auto i = static_cast<std::size_t>(p);
      const auto j = static_cast<std::size_t>(q);
      covariance(p, q) = fit.correlation[i * fit.parameters.size() + j] * fit.parameters[i].spread *
                         fit.parameters[j].spread;
    }
    covariance(p, p) += common_spread(record) * common_spread(record);
  }
  return covariance;
}

}  // namespace

DriftTest test_drift(std::span<const Evidence> rows, const Profile& calibrated,
                     const CalibrationRecord& record) {
  STEPCAST_REQUIRES(!rows.empty());
  const std::vector<ClassModel> classes = classes_seen(rows);
  const double noise = std::max(record.collective_noise, kCollectiveNoise);
  const MapFit fit = fit_classes(classes, rows, calibrated, noise);
  const Eigen::MatrixXd covariance = covariance_of(fit, record);
  DriftTest test;
  test.rows = static_cast<int>(rows.size());
  test.freedom = static_cast<int>(classes.size());
  Eigen::VectorXd moved(covariance.rows());
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto p = static_cast<Eigen::Index>(i);
    moved[p] = std::log(fit.parameters[i].value);
    const double spread = std::sqrt(covariance(p, p));
    test.classes.push_back({classes[i].name, fit.parameters[i].value, spread, moved[p] / spread});
  }
  test.statistic = moved.dot(covariance.llt().solve(moved));
  const boost::math::chi_squared chance(test.freedom);
  test.p_value = boost::math::cdf(boost::math::complement(chance, test.statistic));
  std::stable_sort(
      test.classes.begin(), test.classes.end(),
      [](const LinkClass& a, const LinkClass& b) { return std::abs(a.z) > std::abs(b.z); });
  constexpr double kChance = 0.01;
  constexpr double kWorthTelling = 0.05;
  test.changed =
      test.p_value < kChance && std::abs(std::log(test.classes.front().ratio)) > kWorthTelling;
  return test;
}

}  // namespace stepcast
