#include "calibration/map_fit.h"

#include <ceres/ceres.h>
#include <ceres/normal_prior.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

#include "base/contract.h"

namespace stepcast {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

double value_at(const FitParameter& parameter, double z) {
  if (parameter.scale == FitScale::Logarithmic) {
    return parameter.prior * std::exp(parameter.spread * z);
  }
  return std::max(0.0, parameter.prior + parameter.spread * z);
}

// Predictions as logarithms over z, counted.
class Model {
 public:
  explicit Model(const FitProblem& problem) : problem_(problem) {}

  Vector misses(const Vector& z) {
    ++evaluations_;
    problem_.watch();
    const std::vector<double> predicted = problem_.predict(values_of(z));
    STEPCAST_REQUIRES(predicted.size() == problem_.measurements.size());
    Vector misses(static_cast<Eigen::Index>(predicted.size()));
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      STEPCAST_REQUIRES(predicted[i] > 0);
      misses[static_cast<Eigen::Index>(i)] =
          std::log(predicted[i] / problem_.measurements[i].measured);
    }
    return misses;
  }

  // d log(predicted) / dz. A parameter at its lower end has a one-sided difference there, which is
  // half of the true one: it only slows the step that leaves the end.
  Matrix jacobian(const Vector& z) {
    constexpr double kStep = 0.02;  // of a prior's standard deviation
    Matrix jacobian =
        Matrix::Zero(static_cast<Eigen::Index>(problem_.measurements.size()), z.size());
    for (Eigen::Index p = 0; p < z.size(); ++p) {
      Vector up = z;
      Vector down = z;
      up[p] += kStep;
      down[p] -= kStep;
      problem_.watch();
      if (problem_.predict_one) {
        fill_felt(jacobian, p, values_of(up), values_of(down), 2 * kStep);
      } else {
        jacobian.col(p) = (misses(up) - misses(down)) / (2 * kStep);
      }
    }
    return jacobian;
  }

  int evaluations() const { return evaluations_; }

 private:
  std::vector<double> values_of(const Vector& z) const {
    std::vector<double> values;
    for (std::size_t p = 0; p < problem_.parameters.size(); ++p) {
      values.push_back(value_at(problem_.parameters[p], z[static_cast<Eigen::Index>(p)]));
    }
    return values;
  }

  void fill_felt(Matrix& jacobian, Eigen::Index p, const std::vector<double>& up,
                 const std::vector<double>& down, double step) const {
    for (const std::size_t i : problem_.felt_by[static_cast<std::size_t>(p)]) {
      jacobian(static_cast<Eigen::Index>(i), p) =
          std::log(problem_.predict_one(up, i) / problem_.predict_one(down, i)) / step;
    }
  }

  const FitProblem& problem_;
  int evaluations_ = 0;
};

// Ceres asks for one residual after the other; the model gives all at once.
class SharedEvaluation final : public ceres::EvaluationCallback {
 public:
  SharedEvaluation(Model& model, const Vector& z) : model_(model), z_(z) {}

  void PrepareForEvaluation(bool jacobians, bool new_point) override {
    if (new_point || misses_.size() == 0) {
      misses_ = model_.misses(z_);
      jacobian_.resize(0, 0);
    }
    if (jacobians && jacobian_.size() == 0) jacobian_ = model_.jacobian(z_);
  }

  double miss(Eigen::Index i) const { return misses_[i]; }
  auto gradient(Eigen::Index i) const { return jacobian_.row(i); }

 private:
  Model& model_;
  const Vector& z_;
  Vector misses_;
  Matrix jacobian_;
};

class MissOverNoise final : public ceres::CostFunction {
 public:
  MissOverNoise(const SharedEvaluation& evaluation, Eigen::Index index, double noise,
                int parameters)
      : evaluation_(evaluation), index_(index), noise_(noise) {
    set_num_residuals(1);
    mutable_parameter_block_sizes()->push_back(parameters);
  }

  bool Evaluate(double const* const*, double* residuals, double** jacobians) const override {
    residuals[0] = evaluation_.miss(index_) / noise_;
    if (jacobians != nullptr && jacobians[0] != nullptr) {
      Eigen::Map<Eigen::RowVectorXd>(jacobians[0], parameter_block_sizes()[0]) =
          evaluation_.gradient(index_) / noise_;
    }
    return true;
  }

 private:
  const SharedEvaluation& evaluation_;
  Eigen::Index index_;
  double noise_;
};

void set_lower_ends(ceres::Problem& problem, Vector& z, const FitProblem& asked) {
  for (Eigen::Index p = 0; p < z.size(); ++p) {
    const FitParameter& parameter = asked.parameters[static_cast<std::size_t>(p)];
    if (parameter.scale == FitScale::Logarithmic) continue;
    problem.SetParameterLowerBound(z.data(), static_cast<int>(p),
                                   -parameter.prior / parameter.spread);
  }
}

struct Minimum {
  Vector z;
  double cost = 0;
  bool converged = false;
};

Minimum minimum_from(Vector z, const FitProblem& asked, double dispersion, Model& model) {
  SharedEvaluation evaluation(model, z);
  ceres::Problem::Options ownership;
  ownership.evaluation_callback = &evaluation;
  ceres::Problem problem(ownership);
  const int parameters = static_cast<int>(z.size());
  for (std::size_t i = 0; i < asked.measurements.size(); ++i) {
    const double noise = dispersion * asked.measurements[i].noise;
    problem.AddResidualBlock(
        new MissOverNoise(evaluation, static_cast<Eigen::Index>(i), noise, parameters),
        new ceres::CauchyLoss(asked.robust_beyond), z.data());
  }
  problem.AddResidualBlock(new ceres::NormalPrior(Eigen::MatrixXd::Identity(parameters, parameters),
                                                  Vector::Zero(parameters)),
                           nullptr, z.data());
  set_lower_ends(problem, z, asked);
  ceres::Solver::Options options;
  options.linear_solver_type = ceres::DENSE_QR;
  options.max_num_iterations = 600;
  options.function_tolerance = 1e-8;
  options.logging_type = ceres::SILENT;
  ceres::Solver::Summary summary;
  ceres::Solve(options, &problem, &summary);
  return {z, summary.final_cost, summary.termination_type == ceres::CONVERGENCE};
}

// A minimum further from the prior's own has to be better by a likelihood of e^5: what several
// minima explain about equally well, the one that the prior leads to explains best elsewhere.
Minimum lowest_minimum(const FitProblem& problem, Model& model) {
  const auto parameters = static_cast<Eigen::Index>(problem.parameters.size());
  Minimum best = minimum_from(Vector::Zero(parameters), problem, 1.0, model);
  constexpr double kClearlyLower = 5;
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  for (int start = 1; start < problem.starts; ++start) {
    Vector z(parameters);
    for (double& one : z) one = normal(random);
    Minimum other = minimum_from(std::move(z), problem, 1.0, model);
    if (other.cost < best.cost - kClearlyLower) best = std::move(other);
  }
  return best;
}

// 1.4826 x the median of |residual|, drawn to 1 as if ten further residuals of the stated noise
// were there.
double spread_of_residuals(const Vector& misses, const FitProblem& problem) {
  constexpr double kDrawnBy = 10;
  std::vector<double> sizes;
  for (Eigen::Index i = 0; i < misses.size(); ++i) {
    sizes.push_back(std::abs(misses[i]) / problem.measurements[static_cast<std::size_t>(i)].noise);
  }
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  const double found = 1.4826 * *middle;
  const double count = static_cast<double>(sizes.size());
  return std::max(1.0, std::sqrt((count * found * found + kDrawnBy) / (count + kDrawnBy)));
}

// Cauchy's loss weighs a residual r by 1 / (1 + (r / c)^2).
Vector robust_weights(const Vector& misses, double dispersion, const FitProblem& problem) {
  Vector weights(misses.size());
  for (Eigen::Index i = 0; i < misses.size(); ++i) {
    const double noise = dispersion * problem.measurements[static_cast<std::size_t>(i)].noise;
    const double beyond = misses[i] / noise / problem.robust_beyond;
    weights[i] = 1.0 / (1.0 + beyond * beyond);
  }
  return weights;
}

Eigen::MatrixXd posterior(const Matrix& jacobian, const Vector& weights, double dispersion,
                          const FitProblem& problem) {
  Eigen::MatrixXd information = Eigen::MatrixXd::Identity(jacobian.cols(), jacobian.cols());
  for (Eigen::Index i = 0; i < jacobian.rows(); ++i) {
    const double noise = dispersion * problem.measurements[static_cast<std::size_t>(i)].noise;
    information += weights[i] / (noise * noise) * jacobian.row(i).transpose() * jacobian.row(i);
  }
  return information.llt().solve(Eigen::MatrixXd::Identity(jacobian.cols(), jacobian.cols()));
}

void check(const FitProblem& problem) {
  STEPCAST_REQUIRES(!problem.parameters.empty() && !problem.measurements.empty());
  STEPCAST_REQUIRES(!problem.predict_one || problem.felt_by.size() == problem.parameters.size());
  for (const FitParameter& parameter : problem.parameters) STEPCAST_REQUIRES(parameter.spread > 0);
  for (const FitMeasurement& measurement : problem.measurements) {
    STEPCAST_REQUIRES(measurement.noise > 0 && measurement.measured > 0);
  }
}

void fill_parameters(MapFit& fit, const Vector& z, const Eigen::MatrixXd& covariance,
                     const FitProblem& problem) {
  const Vector kept = covariance.diagonal().cwiseSqrt();
  for (Eigen::Index p = 0; p < z.size(); ++p) {
    const FitParameter& parameter = problem.parameters[static_cast<std::size_t>(p)];
    fit.parameters.push_back({value_at(parameter, z[p]), parameter.spread * kept[p], kept[p]});
    for (Eigen::Index q = 0; q < z.size(); ++q) {
      fit.correlation.push_back(covariance(p, q) / (kept[p] * kept[q]));
    }
  }
}

// Without measurement i the linear fit would miss it by miss / (1 - leverage).
void fill_measurements(MapFit& fit, const Vector& before, const Vector& after,
                       const Matrix& jacobian, const Vector& weights,
                       const Eigen::MatrixXd& covariance, const FitProblem& problem) {
  for (Eigen::Index i = 0; i < after.size(); ++i) {
    const double noise = fit.dispersion * problem.measurements[static_cast<std::size_t>(i)].noise;
    const double variance = jacobian.row(i) * covariance * jacobian.row(i).transpose();
    const double leverage = std::min(0.99, weights[i] * variance / (noise * noise));
    const Eigen::RowVectorXd row = jacobian.row(i);
    fit.measurements.push_back({before[i], after[i], after[i] / (1.0 - leverage), weights[i],
                                std::vector<double>(row.data(), row.data() + row.size())});
  }
}

}  // namespace

MapFit fit_map(const FitProblem& problem) {
  check(problem);
  Model model(problem);
  const auto parameters = static_cast<Eigen::Index>(problem.parameters.size());
  const Vector before = model.misses(Vector::Zero(parameters));
  MapFit fit;
  Minimum minimum = lowest_minimum(problem, model);
  fit.dispersion = spread_of_residuals(model.misses(minimum.z), problem);
  if (fit.dispersion > 1.0) {
    minimum = minimum_from(std::move(minimum.z), problem, fit.dispersion, model);
  }
  fit.converged = minimum.converged;
  const Vector& z = minimum.z;
  const Vector after = model.misses(z);
  const Matrix jacobian = model.jacobian(z);
  const Vector weights = robust_weights(after, fit.dispersion, problem);
  const Eigen::MatrixXd covariance = posterior(jacobian, weights, fit.dispersion, problem);
  fill_parameters(fit, z, covariance, problem);
  fill_measurements(fit, before, after, jacobian, weights, covariance, problem);
  fit.evaluations = model.evaluations();
  return fit;
}

double predicted_variance(std::span<const double> sensitivity,
                          std::span<const FittedParameter> parameters,
                          std::span<const double> correlation) {
  STEPCAST_REQUIRES(sensitivity.size() == parameters.size());
  STEPCAST_REQUIRES(correlation.size() == parameters.size() * parameters.size());
  double variance = 0.0;
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    for (std::size_t q = 0; q < parameters.size(); ++q) {
      variance += sensitivity[p] * parameters[p].prior_kept * sensitivity[q] *
                  parameters[q].prior_kept * correlation[p * parameters.size() + q];
    }
  }
  return variance;
}

}  // namespace stepcast
