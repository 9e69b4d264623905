#include "reports/step_drawing.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sim/link_loads.h"
#include "tests/support/small_scenario.h"

namespace stepcast {
namespace {

using Catch::Matchers::WithinRel;
using Json = nlohmann::ordered_json;

Scenario two_stages() {
  return test::read_text(test::small_scenario(
      R"({"plan": {"tensor_parallel": 2, "pipeline_parallel": 2, "data_parallel": 2}})"));
}

Prediction predicted(const Scenario& scenario) {
  return {scenario, predict(scenario, {.engine = EngineChoice::Event, .links = true})};
}

}  // namespace

TEST_CASE("a drawing's spans lie within the step, in order, and one of them ends it", "[reports]") {
  const Prediction prediction = predicted(two_stages());
  const Json drawing = drawings_of({&prediction, 1})[0];
  const double step = prediction.report.step_time.value();
  REQUIRE(drawing["step_time_s"] == step);
  REQUIRE(drawing["stages"] == 2);
  double last = 0;
  for (const Json& track : drawing["tracks"]) {
    double before = 0;
    for (const Json& span : track["spans"]) {
      REQUIRE(span[0].get<double>() >= before);
      REQUIRE(span[1].get<double>() > span[0].get<double>());
      REQUIRE(span[2].get<std::size_t>() < drawing["names"].size());
      REQUIRE(span[3].get<std::size_t>() < drawing["activities"].size());
      before = span[1].get<double>();
    }
    last = std::max(last, before);
  }
  REQUIRE_THAT(last, WithinRel(step, 1e-12));
}

TEST_CASE("a drawing's memory reaches each stage's peak and never more", "[reports]") {
  const Prediction prediction = predicted(two_stages());
  const Json drawing = drawings_of({&prediction, 1})[0];
  REQUIRE(drawing["memory"].size() == 2);
  for (std::size_t stage = 0; stage < 2; ++stage) {
    double most = 0;
    for (const Json& point : drawing["memory"][stage]["points"]) {
      most = std::max(most, point[1].get<double>());
    }
    REQUIRE_THAT(most, WithinRel(prediction.report.memory.stages[stage].allocated.value(), 1e-12));
  }
}

TEST_CASE("the fullest link of a drawing is the fullest that the report names", "[reports]") {
  const Prediction prediction = predicted(two_stages());
  const Json use = drawings_of({&prediction, 1})[0]["use"];
  double most = 0;
  for (const Json& link : use["node"]["links"]) {
    most = std::max(most, link["utilisation"].get<double>());
  }
  const LinkLoad& fullest = prediction.report.links.front();
  REQUIRE_THAT(most, WithinRel(fullest.utilisation(prediction.report.step_time), 1e-12));
  REQUIRE_FALSE(use.contains("network"));
}

TEST_CASE("a step that sends nothing has no links to draw", "[reports]") {
  const Scenario alone = test::read_text(test::small_scenario(
      R"({"cluster": {"gpus_per_node": 1}, "plan": {"tensor_parallel": 1, "data_parallel": 1}})"));
  const Prediction prediction = predicted(alone);
  REQUIRE(drawings_of({&prediction, 1})[0]["use"].is_null());
}

TEST_CASE("many predictions: the first eight are drawn", "[reports]") {
  const std::vector<Prediction> many(10, predicted(two_stages()));
  REQUIRE(drawings_of(many).size() == 8);
}

}  // namespace stepcast
