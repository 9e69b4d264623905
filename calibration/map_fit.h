// Fits parameters to measurements: the maximum a posteriori under a prior for each parameter, and
// what is known of each afterwards. It knows no profile, no log and no scenario.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace stepcast {

enum class FitScale {
  Logarithmic,  ///< value = prior * exp(spread * z): factors, rates, times that are never 0
  Linear,       ///< value = max(0, prior + spread * z): what may be absent
};

/// One number to fit. Before the measurements, z is a standard normal.
struct FitParameter {
  std::string name;
  double prior = 1.0;
  double spread = 0.1;  ///< relative where logarithmic, else in the parameter's own unit; > 0
  FitScale scale = FitScale::Logarithmic;
};

/// A positive figure that was measured.
struct FitMeasurement {
  std::string name;
  double measured = 0.0;
  double noise = 0.05;  ///< relative, one standard deviation: of the measurement and of the model
};

/// What each measurement would be with these parameter values, in their orders. Positive.
using FitPredictor = std::function<std::vector<double>(std::span<const double> values)>;

/// One of them.
using FitOnePredictor =
    std::function<double(std::span<const double> values, std::size_t measurement)>;

/// Called again and again while a fit runs, for whoever shows that it does.
using FitWatch = std::function<void()>;

struct FitProblem {
  std::vector<FitParameter> parameters;
  std::vector<FitMeasurement> measurements;
  FitPredictor predict;
  /// Where predictions are dear and most parameters move few of them: the measurements that feel
  /// each parameter, and a predictor of one. Others are taken not to move. Both empty: all may.
  std::vector<std::vector<std::size_t>> felt_by = {};
  FitOnePredictor predict_one = {};
  /// Misses beyond this many standard deviations count less and less (Cauchy's loss).
  double robust_beyond = 2.5;
  /// Points to start from: the prior, and others drawn from it with a fixed seed. More than one
  /// where predictions have kinks (the fastest of several algorithms), which trap a descent.
  int starts = 1;
  FitWatch watch = [] {};
};

/// One parameter after the fit.
struct FittedParameter {
  double value = 0.0;
  double spread = 0.0;      ///< posterior, in the unit of FitParameter::spread
  double prior_kept = 1.0;  ///< posterior over prior spread: 1 where the data say nothing
};

/// One measurement beside the model. Misses are log(predicted / measured).
struct FittedMeasurement {
  double miss_before = 0.0;         ///< with every parameter at its prior
  double miss = 0.0;                ///< with the fitted values
  double miss_left_out = 0.0;       ///< with values fitted to all the others, to first order
  double weight = 1.0;              ///< of the robust loss: near 0 for an outlier
  std::vector<double> sensitivity;  ///< d log(predicted) / dz of each parameter
};

struct MapFit {
  std::vector<FittedParameter> parameters;
  std::vector<FittedMeasurement> measurements;
  std::vector<double> correlation;  ///< row by row, of the parameters' z
  double dispersion = 1.0;          ///< noise as found over noise as stated, at least 1
  int evaluations = 0;              ///< calls of the predictor
  bool converged = false;
};

/// Minimises, over z,
///
///   sum over measurements of  rho(log(predicted / measured) / (dispersion noise))  +  sum of z^2
///
/// by Levenberg-Marquardt (Ceres) with a Jacobian of central differences. `dispersion` is the
/// residuals' robust spread (1.4826 x median |residual|) of a first fit, where that exceeds 1:
/// noise that was stated too small must not make the posterior too sure of itself. With few
/// measurements the median is drawn to 1. Covariance: the inverse of I + J^T W J at the optimum, so
/// a parameter that no measurement moves keeps its prior exactly.
///
/// Requires at least one parameter and one measurement, positive spreads, noises and figures.
MapFit fit_map(const FitProblem& problem);

/// The relative variance that the parameters' posterior leaves in a prediction: s^T C s with `s`
/// its d log / dz and C = diag(kept) correlation diag(kept).
double predicted_variance(std::span<const double> sensitivity,
                          std::span<const FittedParameter> parameters,
                          std::span<const double> correlation);

}  // namespace stepcast
