#include "sim/search/layout_bound.h"

#include <catch2/catch.hpp>

#include "sim/analytic_engine.h"
#include "tests/support/generated_steps.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

Scenario scenario_of(const GeneratedStep& step) {
  Scenario scenario;
  scenario.cluster = step.cluster;
  scenario.job = step.job;
  scenario.profile = step.profile;
  return scenario;
}

Seconds analytic_time(const GeneratedStep& generated) {
  const Step step(generated.job, generated.cluster, generated.profile);
  const FoldedProgram folded = step.folded();
  return run_analytic(folded, fuse_all(folded)).end();
}

void require_same_answer(unsigned seed, int micro_batches) {
  CAPTURE(seed);
  CAPTURE(micro_batches);
  GeneratedStep step = generate_step(seed);
  step.job.batch.global_batch = micro_batches * step.job.plan.data_parallel;
  if (*step.job.plan.schedule == Schedule::Interleaved) {
    step.job.batch.global_batch *= step.job.plan.pipeline_parallel;
  }
  if (*step.job.plan.schedule == Schedule::DualPipe) {
    step.job.batch.global_batch *= 2 * step.job.plan.pipeline_parallel;
  }
  const Scenario scenario = scenario_of(step);
  LayoutBound bound(scenario);
  const Seconds time = bound.step_time(step.job.plan, step.job.batch);
  REQUIRE(time / analytic_time(step) == Approx(1.0).epsilon(1e-12));
  REQUIRE(bound.stage_bound(step.job.plan, step.job.batch) <= time * (1 + 1e-12));
}

}  // namespace

TEST_CASE("search: the flat walk gives the analytic engine's answer", "[sim][search]") {
  require_same_answer(GENERATE(range(0u, 60u)), GENERATE(1, 2, 3, 7));
}

TEST_CASE("search: the flat walk gives the analytic engine's answer, many more steps",
          "[sim][search][slow]") {
  require_same_answer(GENERATE(range(1000u, 1600u)), GENERATE(1, 2, 4, 9));
}

TEST_CASE("search: layouts of one job do not disturb each other", "[sim][search]") {
  // One object for all, in two orders, beside one each.
  std::vector<TrainingJob> jobs;
  for (const int micro_batches : {1, 2, 4, 8}) {
    for (const auto& [tensor, pipeline] :
         {std::pair(1, 1), std::pair(2, 1), std::pair(1, 4), std::pair(2, 2), std::pair(4, 2)}) {
      jobs.push_back(small_job({.tensor = tensor,
                                .pipeline = pipeline,
                                .data = 8 / (tensor * pipeline),
                                .micro_batches = micro_batches}));
    }
  }
  Scenario scenario;
  scenario.cluster = small_cluster(2, 4, 4);
  scenario.job = jobs.front();
  scenario.profile = plain_profile();
  LayoutBound forward(scenario);
  LayoutBound backward(scenario);
  std::vector<Seconds> times(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    times[i] = forward.step_time(jobs[i].plan, jobs[i].batch);
  }
  for (std::size_t i = jobs.size(); i-- > 0;) {
    REQUIRE(backward.step_time(jobs[i].plan, jobs[i].batch) == times[i]);
    REQUIRE(LayoutBound(scenario).step_time(jobs[i].plan, jobs[i].batch) == times[i]);
  }
}
