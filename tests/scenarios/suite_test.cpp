#include "scenarios/suite.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/small_scenario.h"

namespace stepcast {

namespace {

using test::read_texts;
using test::small_scenario;
using test::text_error;

std::string suite(const std::string& runs, const std::string& defaults = small_scenario()) {
  return R"({"schema": 1, "title": "two runs", "source": "a test", "caveats": ["none"],
             "defaults": )" +
         defaults + R"(, "runs": )" + runs + "}";
}

}  // namespace

TEST_CASE("suite: a run is the defaults with the run merged over them", "[scenarios]") {
  const auto runs = read_texts(suite(R"([
      {"title": "first", "plan": {"pipeline_parallel": 2}},
      {"plan": {"tensor_parallel": null}, "batch": {"global_batch": 32}}
  ])"));
  REQUIRE(runs.size() == 2);
  REQUIRE(runs[0].title == "first");
  REQUIRE(runs[0].pointer == "/runs/0");
  REQUIRE(runs[0].job.plan.tensor_parallel == 2);
  REQUIRE(runs[0].job.plan.pipeline_parallel == 2);
  REQUIRE(runs[0].job.plan.data_parallel == 2);
  REQUIRE(runs[0].job.batch.global_batch == 16);
  REQUIRE(runs[1].title == "scenario /runs/1");
  REQUIRE(runs[1].job.plan.tensor_parallel == 1);
  REQUIRE(runs[1].job.batch.global_batch == 32);
  REQUIRE(runs[1].job.batch.sequence_length == 128);
}

TEST_CASE("suite: an inline model replaces the defaults' named one", "[scenarios]") {
  const auto runs =
      read_texts(suite(R"([{"model": {"num_layers": 2, "hidden_size": 256, "num_attention_heads": 4,
                           "vocab_size": 1000}}, {}])",
                       small_scenario(R"({"model": "llama_7b"})")));
  REQUIRE(runs[0].job.model.num_layers == 2);
  REQUIRE(runs[0].model_name.empty());
  REQUIRE(runs[1].job.model.num_layers == 32);
  REQUIRE(runs[1].model_name == "llama_7b");
}

TEST_CASE("suite: without defaults every run says all", "[scenarios]") {
  const auto runs = read_texts(R"({"schema": 1, "runs": [)" + small_scenario() + "]}");
  REQUIRE(runs.size() == 1);
}

TEST_CASE("suite: an error points at the run", "[scenarios]") {
  REQUIRE(text_error(suite(R"([{}, {"batch": {"global_batch": "many"}}])")) ==
          "scenario.json: at /runs/1/batch/global_batch: found \"many\", expected a whole number");
  REQUIRE(text_error(suite("[{}, 3]")) ==
          "scenario.json: at /runs/1: found the number 3, expected an object");
}

TEST_CASE("suite: its own keys are read strictly", "[scenarios]") {
  REQUIRE(text_error(R"({"schema": 1, "default": {}, "runs": [{}]})") ==
          "scenario.json: at /: unknown key \"default\"\n"
          "  expected keys: schema, defaults, runs\n"
          "  hint: did you mean \"defaults\"?");
  REQUIRE(text_error(R"({"schema": 1, "runs": {}})") ==
          "scenario.json: at /runs: found an object, expected a list");
  REQUIRE(text_error(R"({"schema": 1, "defaults": [], "runs": [{}]})") ==
          "scenario.json: at /defaults: found a list, expected an object");
  REQUIRE(text_error(R"({"schema": 1, "runs": []})") ==
          "scenario.json: at /runs: the suite has no runs");
  REQUIRE(text_error(R"({"schema": 1, "defaults": {}})") ==
          "scenario.json: at /: the key \"runs\" is missing\n"
          "  runs: scenarios; each is merged over the defaults");
}

TEST_CASE("suite: a format of the future is refused", "[scenarios]") {
  REQUIRE(
      text_error(R"({"schema": 2, "runs": [{}]})") ==
      "scenario.json: at /schema: the file's format is version 2, this program reads version 1");
}

TEST_CASE("suite: read_suite keeps the runs that can be read", "[scenarios]") {
  const test::TemporaryFolder folder;
  const std::string file = folder.write(
      "suite.json", suite(R"([{"title": "good"}, {"title": "bad", "cluster": {"nodes": 0}}])"));
  const SuiteReading reading = read_suite(file, {});
  REQUIRE(reading.scenarios.size() == 1);
  REQUIRE(reading.scenarios[0].title == "good");
  REQUIRE(reading.faults.size() == 1);
  REQUIRE(reading.faults[0].title == "bad");
  REQUIRE(reading.faults[0].message ==
          file +
              ": at /runs/1/cluster/nodes: found the number 0, expected at least 1 and at most "
              "100000");
}

TEST_CASE("suite: its schema asks nothing of a run", "[scenarios]") {
  const nlohmann::json schema = suite_schema();
  REQUIRE(schema["required"] == nlohmann::json({"schema", "runs"}));
  const nlohmann::json& run = schema["$defs"]["run"];
  REQUIRE(run["additionalProperties"] == false);
  REQUIRE_FALSE(run.contains("required"));
  REQUIRE_FALSE(run["properties"]["batch"].contains("required"));
  REQUIRE(schema["properties"]["runs"]["items"] == nlohmann::json{{"$ref", "#/$defs/run"}});
  REQUIRE(schema["properties"]["defaults"] == schema["properties"]["runs"]["items"]);
}

}  // namespace stepcast
