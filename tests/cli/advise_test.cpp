// --advise: the way out of a step that does not fit.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/run_program.h"

using namespace stepcast;
using namespace stepcast::test;
using nlohmann::json;

namespace {

// 32.5 billion weights, a quarter on each GPU at 2 + 4 + 12 bytes: 146 GB. ZeRO over four data
// ranks leaves 2 + 4 + 3: 73 GB; twice the tensor ranks half of all.
constexpr const char* too_large = R"({
  "schema": 1, "title": "too large", "model": "llama_33b",
  "cluster": {"node": "dgx_a100_80gb", "nodes": 2, "fabric": "hdr_rail"},
  "plan": {"tensor_parallel": 4, "data_parallel": 4},
  "batch": {"global_batch": 16, "micro_batch": 1, "sequence_length": 2048},
  "price": "aws_p4de_24xlarge"})";

json advice_of(const ProgramEnd& end) {
  INFO(end.errors);
  REQUIRE(end.exit_code == 0);
  return json::parse(end.output)["advice"];
}

}  // namespace

TEST_CASE("predict --advise lists changes that fit, the cheapest first, and they do",
          "[cli][contract]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", too_large);
  const json advice = advice_of(run_program({"predict", scenario, "--advise", "--format", "json"}));
  REQUIRE(advice["fits_already"] == false);
  REQUIRE_FALSE(advice["ways"].empty());
  double cost = 0;
  for (const json& way : advice["ways"]) {
    CAPTURE(way.dump());
    REQUIRE(way["oom_probability"] < 0.5);
    REQUIRE(way["usd_per_million_tokens"] >= cost);
    cost = way["usd_per_million_tokens"];
    std::vector<std::string> arguments{"predict", scenario, "--format", "json"};
    for (const std::string change : way["changes"]) {
      arguments.insert(arguments.end(), {"--set", change});
    }
    const ProgramEnd end = run_program(arguments);
    INFO(end.errors);
    REQUIRE(end.exit_code == 0);
    REQUIRE(json::parse(end.output)["fits"] == true);
  }
}

TEST_CASE("predict --advise says so where it fits already, and where nothing does", "[cli]") {
  const TemporaryFolder folder;
  const std::string small = folder.write("small.json", small_scenario());
  const json fits = advice_of(run_program({"predict", small, "--advise", "--format", "json"}));
  REQUIRE(fits["fits_already"] == true);
  REQUIRE(fits["ways"].empty());
  // A trillion weights on 16 GPUs: 18 bytes each, however divided, are 1,100 GB a GPU.
  const std::string huge = folder.write("huge.json", too_large);
  const ProgramEnd end =
      run_program({"predict", huge, "--set", "model=gpt_1t", "--set",
                   "plan={\"tensor_parallel\": 8, \"data_parallel\": 2}", "--advise"});
  INFO(end.errors);
  REQUIRE(end.exit_code == 0);
  REQUIRE_THAT(end.output, Catch::Contains("Advice\n  Nothing fits: "));
}

TEST_CASE("predict --advise as CSV is refused before anything is predicted", "[cli]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", too_large);
  const ProgramEnd end = run_program({"predict", scenario, "--advise", "--format", "csv"});
  REQUIRE(end.exit_code == 2);
  REQUIRE(end.output.empty());
  REQUIRE(end.errors ==
          "--advise: at /: advice has no place in a row of CSV\n"
          "  hint: --format text and --format json give it\n");
}
