// What ZeRO-3 hides of its traffic, as a step's time shows it.
#include <catch2/catch.hpp>

#include "sim/analytic_engine.h"
#include "tests/support/small_steps.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

Seconds step_time(bool gathers_beside, bool reduces_beside, int ahead = 1) {
  TrainingJob job = small_job({.data = 8, .micro_batches = 1});
  job.plan.zero_stage = 3;
  job.plan.overlap_parameter_gather = gathers_beside;
  job.plan.overlap_gradient_reduce = reduces_beside;
  if (gathers_beside) job.plan.sharding.prefetch_units = ahead;
  const Step step(job, small_cluster(2, 4, 1));
  const FoldedProgram folded = step.folded();
  return run_analytic(folded, fuse_none(folded)).end();
}

}  // namespace

TEST_CASE("stage 3 takes longest where nothing runs beside compute", "[sim]") {
  REQUIRE(step_time(true, true) < step_time(true, false));
  REQUIRE(step_time(true, true) < step_time(false, true));
  REQUIRE(step_time(true, false) < step_time(false, false));
  REQUIRE(step_time(false, true) < step_time(false, false));
}

TEST_CASE("stage 3 that gathers ahead is faster than one that gathers at need", "[sim]") {
  REQUIRE(step_time(true, true, 1) < step_time(true, true, 0));
}
