// The commands as other programs use them.
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/cli/run_program.h"

namespace stepcast {
namespace {

using nlohmann::json;
using test::ProgramEnd;
using test::run_program;
using test::small_scenario;
using test::TemporaryFolder;

json answer(const std::vector<std::string>& arguments) {
  const ProgramEnd end = run_program(arguments);
  INFO(end.errors);
  REQUIRE(end.exit_code == 0);
  REQUIRE(end.errors == "");
  return json::parse(end.output);
}

json without_wall_time(json result) {
  result["engine"].erase("wall_time_s");
  return result;
}

}  // namespace

TEST_CASE("predict answers with the event engine, and the same each time", "[cli][contract]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", small_scenario());
  const json first = answer({"predict", scenario, "--format", "json"});
  REQUIRE(first["engine"]["name"] == "event");
  REQUIRE_THAT(first["engine"]["settings"].get<std::string>(), Catch::Contains("CM02"));
  double sum = 0.0;
  for (const auto& [part, time] : first["breakdown_s"].items()) sum += time.get<double>();
  REQUIRE(std::abs(sum - first["step_time_s"].get<double>()) < 1e-6);
  const json second = answer({"predict", scenario, "--format", "json"});
  REQUIRE(without_wall_time(first) == without_wall_time(second));
}

TEST_CASE("predict takes several files, suites, settings and an engine", "[cli][contract]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("one.json", small_scenario());
  const std::string suite =
      folder.write("two.json", R"({"schema": 1, "title": "two", "runs": [)" +
                                   small_scenario(R"({"title": "first"})") + "," +
                                   small_scenario(R"({"title": "second"})") + "]}");
  const json results = answer({"predict", scenario, "--set", "title=changed", "--engine",
                               "analytic", suite, "--format", "json", "--set=seed=1"});
  REQUIRE(results.size() == 3);
  for (const json& result : results) {
    CHECK(result["title"] == "changed");
    CHECK(result["engine"]["name"] == "analytic");
  }
}

TEST_CASE("running out of memory is an answer", "[cli][contract]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write(
      "scenario.json", small_scenario(R"({"batch": {"micro_batch": 4, "sequence_length": 65536},
                                          "attention": "unfused"})"));
  const json result = answer({"predict", scenario, "--format", "json", "--engine", "analytic"});
  REQUIRE(result["fits"] == false);
  REQUIRE(result["oom_probability"].get<double>() > 0.5);
}

TEST_CASE("compare sets the guide's layouts side by side", "[cli][contract]") {
  const std::vector<std::string> guide{"compare", "scenarios/guide/65b_4_nodes.json",
                                       "scenarios/guide/65b_8_nodes.json"};
  std::vector<std::string> as_json = guide;
  as_json.insert(as_json.end(), {"--format", "json"});
  const json comparison = answer(as_json);
  REQUIRE(comparison["scenarios"].size() == 2);
  REQUIRE(comparison["moved"].size() == 1);
  REQUIRE(comparison["moved"][0]["gpus"]["ratio"] == 2.0);
  const ProgramEnd text = run_program(guide);
  REQUIRE(text.exit_code == 0);
  REQUIRE_THAT(text.output, Catch::Contains(" the tokens/s of A for 2x the price: "));
}

TEST_CASE("validate answers beside a run that cannot be read", "[cli][contract]") {
  const TemporaryFolder folder;
  const std::string suite = folder.write(
      "mixed.json",
      R"({"schema": 1, "title": "mixed", "runs": [)" +
          small_scenario(R"({"title": "good", "measured": {"step_time": "1 s"}})") + "," +
          small_scenario(R"({"title": "bad", "plan": {"tensor_parallel": 3}})") + "]}");
  const json validation = answer({"validate", suite, "--format", "json"});
  REQUIRE(validation["runs"].size() == 1);
  REQUIRE(validation["runs"][0]["title"] == "good");
  const double predicted = validation["runs"][0]["predicted"];
  REQUIRE(validation["step_time_bias"].get<double>() == Approx(predicted - 1.0));
  REQUIRE(validation["suites"][0]["title"] == "mixed");
  REQUIRE(validation["errors"][0]["title"] == "bad");
  REQUIRE_THAT(run_program({"validate", suite}).output,
               Catch::Contains("Without an answer\n  bad"));
}

TEST_CASE("every format starts as it should", "[cli][contract]") {
  const TemporaryFolder folder;
  const std::string scenario =
      folder.write("scenario.json",
                   small_scenario(R"({"title": "measured", "measured": {"step_time": "1 s"}})"));
  const auto output = [&](const std::string& command, const std::string& format) {
    const ProgramEnd end =
        run_program({command, scenario, scenario, "--format", format, "--engine", "analytic"});
    CHECK(end.exit_code == 0);
    return end.output;
  };
  CHECK_THAT(output("predict", "csv"), Catch::StartsWith("title,gpus,step_time_s,"));
  CHECK_THAT(output("predict", "text"), Catch::StartsWith("measured\n"));
  CHECK_THAT(output("compare", "csv"), Catch::StartsWith("title,gpus,step_time_s,"));
  CHECK_THAT(output("validate", "csv"), Catch::StartsWith("suite,title,predicted_step_time_s,"));
  CHECK_THAT(output("validate", "text"), Catch::StartsWith("Errors of the step time"));
}

TEST_CASE("catalogue and schema print JSON that parses", "[cli][contract]") {
  REQUIRE(answer({"catalogue", "list", "--format", "json"})["nodes"].size() >= 10);
  REQUIRE(answer({"catalogue", "show", "hdr_rail"})["nics_per_node"] == 8);
  REQUIRE(answer({"catalogue", "show", "gpus/a100_sxm_80gb"}).contains("memory"));
  REQUIRE(answer({"schema"})["properties"].contains("plan"));
  REQUIRE(answer({"schema", "suite"})["properties"].contains("runs"));
  REQUIRE(answer({"schema", "result"})["properties"].contains("step_time_s"));
}

TEST_CASE("help and version go to stdout", "[cli][contract]") {
  const ProgramEnd help = run_program({"--help"});
  REQUIRE(help.exit_code == 0);
  REQUIRE_THAT(help.output, Catch::Contains("stepcast predict scenarios/guide/65b_8_nodes.json"));
  const ProgramEnd version = run_program({"--version"});
  REQUIRE(version.exit_code == 0);
  REQUIRE_THAT(version.output, Catch::Matches("stepcast [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_CASE("an answer that cannot be written is a fault", "[cli][contract]") {
  const ProgramEnd end = run_program({"catalogue", "list"}, "/dev/full");
  REQUIRE(end.exit_code == 1);
  REQUIRE(end.errors == "stepcast: cannot write to stdout\n");
}

}  // namespace stepcast
