#include "models/stalls.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "sim/predict.h"
#include "tests/support/small_scenario.h"

using namespace stepcast;

namespace {

// Four layers over nodes of eight GPUs, whose messages take a second each once a run stalls.
Scenario pipeline(int stages, int micro_batches, double chance,
                  const std::string& fabric = "efa_p4d") {
  const std::string batch = std::to_string(micro_batches);
  Scenario scenario = test::read_text(test::small_scenario(
      R"({"framework": "nanotron", "cluster": {"node": "aws_p4d", "nodes": 2, "fabric": ")" +
      fabric + R"("}, "plan": {"tensor_parallel": )" + std::to_string(16 / stages) +
      R"(, "pipeline_parallel": )" + std::to_string(stages) +
      R"(}, "batch": {"micro_batch": 1, "global_batch": )" + batch + "}}"));
  StallTrait& stalls = scenario.profile.framework.stalls;
  stalls.message_time.value = 1_s;
  stalls.base_chance.value = chance;
  stalls.nodes.value = 1e6;
  return scenario;
}

StallRisk risk_of(const Scenario& scenario) {
  return stall_risk(scenario.job, scenario.profile.framework.stalls, scenario.cluster);
}

}  // namespace

TEST_CASE("a stalled step takes longer by the messages that its stages wait for", "[sim]") {
  // Two stages: 2 m messages. More: 4 m - 4 + 2 (p - 1).
  struct Case {
    int stages, micro_batches, messages;
  };
  const Case c = GENERATE(Case{2, 1, 2}, Case{2, 8, 16}, Case{4, 1, 6}, Case{4, 8, 34});
  CAPTURE(c.stages, c.micro_batches);
  const Seconds free = predict(pipeline(c.stages, c.micro_batches, 0), {}).step_time;
  const Scenario scenario = pipeline(c.stages, c.micro_batches, 1);
  const StepReport stalled = predict(scenario, {});
  REQUIRE(risk_of(scenario).messages == c.messages);
  // The work of a slot, some milliseconds, may hide behind a message that is held elsewhere.
  REQUIRE((stalled.step_time - free).value() == Approx(c.messages).epsilon(0.01));
  REQUIRE(stalled.step_time > free);
}

TEST_CASE("no schedule hides messages that are held", "[sim]") {
  struct Case {
    Schedule schedule;
    int chunks, messages;
  };
  // Eight micro-batches on 4 stages: 8 x 4 v - 4 + 6, filled from both ends - 4 + 2.
  const Case c = GENERATE(Case{Schedule::GPipe, 1, 34}, Case{Schedule::Interleaved, 2, 66},
                          Case{Schedule::ZeroBubble, 1, 34}, Case{Schedule::ZeroBubbleV, 2, 66},
                          Case{Schedule::DualPipe, 1, 30});
  CAPTURE(static_cast<int>(c.schedule));
  const auto scheduled = [&](double chance) {
    Scenario scenario = pipeline(4, 8, chance);
    scenario.job.plan.schedule = c.schedule;
    scenario.job.plan.virtual_pipeline = c.chunks;
    scenario.job.model.num_layers = 8;
    return scenario;
  };
  REQUIRE(risk_of(scheduled(1)).messages == c.messages);
  const StepReport stalled = predict(scheduled(1), {});
  REQUIRE((stalled.step_time - predict(scheduled(0), {}).step_time).value() >= 0.98 * c.messages);
}

TEST_CASE("runs stall more often on many nodes, and only pipelines over EFA nodes do", "[sim]") {
  Scenario scenario = pipeline(2, 8, 0.2);
  REQUIRE(risk_of(scenario).chance == Approx(0.2));
  REQUIRE_FALSE(risk_of(scenario).expected());
  scenario.profile.framework.stalls.nodes.value = 2;  // on as many nodes: 1 - 0.8 / e
  REQUIRE(risk_of(scenario).chance == Approx(1 - 0.8 * std::exp(-1.0)));
  REQUIRE(risk_of(scenario).expected());
  REQUIRE(risk_of(pipeline(2, 8, 1, "hdr_rail")).chance == 0);
  scenario.job.plan.pipeline_parallel = 1;
  REQUIRE(risk_of(scenario).chance == 0);
}

TEST_CASE("a run whose tensor groups lie on the trait's nodes stalls for certain", "[sim]") {
  Scenario scenario = pipeline(2, 8, 0);
  scenario.job.plan.tensor_parallel = 24;
  scenario.profile.framework.stalls.certain_tensor_nodes = 3;
  REQUIRE(risk_of(scenario).chance == 1);
  scenario.job.plan.tensor_parallel = 16;
  REQUIRE(risk_of(scenario).chance == Approx(0).margin(1e-9));
}
