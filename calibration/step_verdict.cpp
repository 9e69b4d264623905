#include "calibration/step_verdict.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "base/contract.h"

namespace stepcast {
namespace {

// But for a constant.
double log_student(double standardised) {
  constexpr double kDegrees = 2;
  return -(kDegrees + 1) / 2 * std::log1p(standardised * standardised / kDegrees);
}

double gain_of(const StepMiss& step) {
  return log_student(step.left_out / step.noise) - log_student(step.unmoved / step.noise);
}

}  // namespace

double odds_of_moving(std::span<const StepMiss> steps) {
  if (steps.size() < 2) return 0;
  double odds = 0;
  for (const StepMiss& step : steps) odds += gain_of(step);
  return odds;
}

bool steps_move_constants(std::span<const StepMiss> steps) {
  constexpr double kFiftyToOne = 4;
  constexpr double kWithoutTheBest = 1;
  double best = 0;
  for (const StepMiss& step : steps) best = std::max(best, gain_of(step));
  const double odds = odds_of_moving(steps);
  return odds > kFiftyToOne && odds - best > kWithoutTheBest;
}

double step_scatter(std::span<const StepMiss> steps, bool moved) {
  STEPCAST_REQUIRES(!steps.empty());
  constexpr double kStatedDegrees = 2;
  constexpr double kStatedSquare = 0.4;
  double squares = kStatedDegrees * kStatedSquare;
  for (const StepMiss& step : steps) {
    const double standardised = (moved ? step.left_out : step.unmoved) / step.noise;
    squares += standardised * standardised;
  }
  const double degrees = kStatedDegrees + static_cast<double>(steps.size());
  const double wider = boost::math::quantile(boost::math::students_t(degrees), 0.95) /
                       boost::math::quantile(boost::math::normal(), 0.95);
  return wider * std::sqrt(squares / degrees);
}

}  // namespace stepcast
