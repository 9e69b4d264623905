#include "calibration/logistic_fit.h"

#include <Eigen/Dense>
#include <cmath>

namespace stepcast {

std::array<double, 3> fit_logistic(std::span<const LogisticCase> cases,
                                   const std::array<double, 3>& prior, double spread) {
  constexpr int kMaximumRounds = 50;
  const Eigen::Vector3d mean(prior[0], prior[1], prior[2]);
  const double precision = 1.0 / (spread * spread);
  Eigen::Vector3d z = mean;
  for (int round = 0; round < kMaximumRounds; ++round) {
    Eigen::Vector3d gradient = precision * (z - mean);
    Eigen::Matrix3d curvature = precision * Eigen::Matrix3d::Identity();
    for (const LogisticCase& one : cases) {
      const Eigen::Vector3d x(one.x[0], one.x[1], one.x[2]);
      const double p = 1.0 / (1.0 + std::exp(-z.dot(x)));
      gradient += (p - (one.happened ? 1.0 : 0.0)) * x;
      curvature += p * (1.0 - p) * x * x.transpose();
    }
    Eigen::Vector3d step = curvature.ldlt().solve(gradient);
    if (step.norm() > 1.0) step.normalize();
    z -= step;
    if (step.norm() < 1e-12) break;
  }
  return {z[0], z[1], z[2]};
}

}  // namespace stepcast
