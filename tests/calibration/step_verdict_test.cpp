#include "calibration/step_verdict.h"

#include <catch2/catch.hpp>
#include <vector>

namespace stepcast {
namespace {

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

TEST_CASE("odds of moving are the ratio of Student densities of 2 degrees, run by run",
          "[calibration]") {
  // Each run: from 2 noises off to 0, 3/2 log((1 + 2^2 / 2) / (1 + 0)) = 1.5 log 3 = 1.6479.
  const std::vector<StepMiss> steps(3, {.unmoved = 0.2, .left_out = 0.0, .noise = 0.1});
  CHECK_THAT(odds_of_moving(steps), WithinAbs(3 * 1.6479184, 1e-6));
  CHECK(steps_move_constants(steps));  // 4.9 in all, 3.3 without the best
}

TEST_CASE("one step alone moves nothing, however far off", "[calibration]") {
  const std::vector<StepMiss> one{{.unmoved = 1.0, .left_out = 0.0, .noise = 0.05}};
  CHECK(odds_of_moving(one) == 0);
  CHECK_FALSE(steps_move_constants(one));
}

TEST_CASE("a single run far off moves nothing where the others say nothing", "[calibration]") {
  // 1.5 log(1 + 20^2 / 2) = 7.95 by the one run, 0 by the two others.
  const std::vector<StepMiss> steps{{.unmoved = 2.0, .left_out = 0.0, .noise = 0.1},
                                    {.unmoved = 0.05, .left_out = 0.05, .noise = 0.1},
                                    {.unmoved = 0.05, .left_out = 0.05, .noise = 0.1}};
  CHECK(odds_of_moving(steps) > 7.9);
  CHECK_FALSE(steps_move_constants(steps));
}

TEST_CASE("runs that miss on either side move nothing", "[calibration]") {
  const std::vector<StepMiss> steps{{.unmoved = 0.1, .left_out = 0.15, .noise = 0.07},
                                    {.unmoved = -0.1, .left_out = -0.15, .noise = 0.07},
                                    {.unmoved = 0.02, .left_out = 0.03, .noise = 0.07}};
  CHECK(odds_of_moving(steps) < 0);
}

TEST_CASE("the scatter of further steps is Student's t about the stated and the seen",
          "[calibration]") {
  // Three misses of one noise: sqrt((2 x 0.4 + 3) / 5) = 0.8718; t(0.95; 5) / z(0.95) = 2.0150 /
  // 1.6449 = 1.2250.
  std::vector<StepMiss> steps(3, {.unmoved = 0.1, .left_out = 0.0, .noise = 0.1});
  CHECK_THAT(step_scatter(steps, false), WithinRel(0.8718 * 1.2250, 1e-3));
  // Fitted, they miss by nothing: sqrt(0.8 / 5) = 0.4.
  CHECK_THAT(step_scatter(steps, true), WithinRel(0.4 * 1.2250, 1e-3));
  // Many steps speak for themselves: t goes to z, the root mean square to 1.
  steps.assign(5000, {.unmoved = 0.1, .left_out = 0.0, .noise = 0.1});
  CHECK_THAT(step_scatter(steps, false), WithinRel(1.0, 1e-3));
}

}  // namespace
}  // namespace stepcast
