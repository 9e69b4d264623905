// The posterior of linear models is known in closed form; the fit must give it.
#include "calibration/map_fit.h"

#include <catch2/catch.hpp>
#include <cmath>

namespace stepcast {
namespace {

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

// A predictor that returns its first value for each measurement: log-linear in a logarithmic z.
FitProblem scale_problem(std::vector<double> measured) {
  FitProblem problem;
  problem.parameters = {{"scale", 2.0, 0.1}};
  for (const double figure : measured) problem.measurements.push_back({"run", figure, 0.05});
  problem.predict = [count = measured.size()](std::span<const double> values) {
    return std::vector<double>(count, values[0]);
  };
  problem.robust_beyond = 1e3;  // no robustness: least squares
  return problem;
}

TEST_CASE("a fit of one factor is the precision-weighted mean of prior and measurements",
          "[calibration]") {
  // log(2.1 / 2) = 0.04879; precisions: prior 1 / 0.1^2 = 100, three runs 3 / 0.05^2 = 1200.
  // Posterior mean of log = 0.04879 * 1200 / 1300 = 0.045037, spread = 1 / sqrt(1300) = 0.027735.
  const MapFit fit = fit_map(scale_problem({2.1, 2.1, 2.1}));
  CHECK(fit.converged);
  CHECK_THAT(fit.parameters[0].value, WithinRel(2.0 * std::exp(0.0450370), 1e-5));
  CHECK_THAT(fit.parameters[0].spread, WithinRel(0.0277350, 1e-5));
  CHECK_THAT(fit.parameters[0].prior_kept, WithinRel(0.277350, 1e-5));
  CHECK_THAT(fit.measurements[0].miss_before, WithinAbs(-0.0487902, 1e-6));
}

TEST_CASE("leaving a run out of a linear fit is foretold exactly", "[calibration]") {
  // Without the third run: log of the mean factor (0.04879 + 0.04879) / 2 weighs 800 / 900, so
  // its miss is 0.04879 * 800 / 900 - log(2.3 / 2) = 0.043369 - 0.139762 = -0.096393.
  const MapFit fit = fit_map(scale_problem({2.1, 2.1, 2.3}));
  CHECK(fit.dispersion == 1.0);
  CHECK_THAT(fit.measurements[2].miss_left_out, WithinAbs(-0.0963930, 1e-5));
}

TEST_CASE("a parameter that no measurement moves keeps its prior", "[calibration]") {
  FitProblem problem = scale_problem({2.1, 2.1, 2.1});
  problem.parameters.push_back({"unseen", 7.0, 0.3});
  const MapFit fit = fit_map(problem);
  CHECK_THAT(fit.parameters[1].value, WithinRel(7.0, 1e-9));
  CHECK_THAT(fit.parameters[1].prior_kept, WithinAbs(1.0, 1e-9));
  CHECK_THAT(fit.correlation[1], WithinAbs(0.0, 1e-9));
}

TEST_CASE("one stalled run of five does not move a robust fit", "[calibration]") {
  FitProblem problem = scale_problem({2.1, 2.1, 2.1, 2.1, 8.0});
  problem.robust_beyond = 2.5;
  const MapFit fit = fit_map(problem);
  CHECK(fit.measurements[4].weight < 0.02);
  CHECK_THAT(fit.parameters[0].value, WithinRel(2.1, 0.01));
}

TEST_CASE("noise that was stated too small widens the posterior", "[calibration]") {
  // Residuals of +-0.2 at a stated noise of 0.05: 4 standard deviations.
  std::vector<double> measured;
  for (int i = 0; i < 20; ++i) measured.push_back(2.0 * std::exp(i % 2 == 0 ? 0.2 : -0.2));
  FitProblem problem = scale_problem(measured);
  // 1.4826 * 4 = 5.93; with ten residuals of 1: sqrt((20 * 35.17 + 10) / 30) = 4.877
  const MapFit fit = fit_map(problem);
  CHECK_THAT(fit.dispersion, WithinRel(4.877, 2e-3));
  // 100 + 20 / (0.05 * 4.877)^2 = 436.4: spread 0.04787
  CHECK_THAT(fit.parameters[0].spread, WithinRel(0.04787, 5e-3));
}

TEST_CASE("an additive term that is absent stays at zero", "[calibration]") {
  FitProblem problem;
  problem.parameters = {{"rate", 1.0, 0.2}, {"extra", 0.0, 0.5, FitScale::Linear}};
  for (const double x : {1.0, 2.0, 4.0, 8.0}) problem.measurements.push_back({"size", x, 0.01});
  problem.predict = [](std::span<const double> v) {
    std::vector<double> out;
    for (const double x : {1.0, 2.0, 4.0, 8.0}) out.push_back(v[0] * x + v[1]);
    return out;
  };
  const MapFit fit = fit_map(problem);
  CHECK_THAT(fit.parameters[0].value, WithinRel(1.0, 1e-3));
  CHECK_THAT(fit.parameters[1].value, WithinAbs(0.0, 1e-3));
}

TEST_CASE("what a posterior leaves in a prediction is its quadratic form", "[calibration]") {
  const std::vector<FittedParameter> parameters{{1, 0, 0.5}, {1, 0, 0.2}};
  const std::vector<double> correlation{1, -0.5, -0.5, 1};
  // (2 * 0.5)^2 + (1 * 0.2)^2 + 2 * (2 * 0.5) * (1 * 0.2) * -0.5 = 1 + 0.04 - 0.2
  CHECK_THAT(predicted_variance(std::vector<double>{2, 1}, parameters, correlation),
             WithinRel(0.84, 1e-12));
}

}  // namespace
}  // namespace stepcast
