#include "calibration/logistic_fit.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

using namespace stepcast;

TEST_CASE("a logistic fit finds the odds of two groups", "[calibration]") {
  // 30 of 40 at x = 0, 10 of 40 at x = 1: log odds ln 3, then -ln 3. The prior is wide.
  std::vector<LogisticCase> cases;
  for (int i = 0; i < 40; ++i) cases.push_back({{1, 0, 0}, i < 30});
  for (int i = 0; i < 40; ++i) cases.push_back({{1, 1, 0}, i < 10});
  const auto z = fit_logistic(cases, {0, 0, 0.5}, 1000);
  REQUIRE(z[0] == Approx(std::log(3.0)).epsilon(1e-4));
  REQUIRE(z[1] == Approx(-2 * std::log(3.0)).epsilon(1e-4));
  REQUIRE(z[2] == Approx(0.5));  // no case says anything of it
}

TEST_CASE("cases that can be told apart without doubt stay finite under the prior",
          "[calibration]") {
  std::vector<LogisticCase> cases;
  for (int i = 1; i <= 20; ++i) {
    cases.push_back({{1, 0.1 * i, 0}, true});
    cases.push_back({{1, -0.1 * i, 0}, false});
  }
  const auto z = fit_logistic(cases, {0, 0, 0}, 3);
  REQUIRE(z[1] > 3);
  REQUIRE(z[1] < 30);
  REQUIRE(z[0] == Approx(0).margin(1e-9));
}
