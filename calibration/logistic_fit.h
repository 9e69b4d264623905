// Logistic regression: how likely something is, by numbers that are known of it.
#pragma once

#include <array>
#include <span>

namespace stepcast {

struct LogisticCase {
  std::array<double, 3> x{};  ///< x[0] is 1: the constant term
  bool happened = false;
};

/// The maximum a posteriori of z in P = 1 / (1 + exp(-z x)), by Newton's method, under a normal
/// prior of mean `prior` and this standard deviation for each z (so that separable cases stay
/// finite).
std::array<double, 3> fit_logistic(std::span<const LogisticCase> cases,
                                   const std::array<double, 3>& prior, double spread);

}  // namespace stepcast
