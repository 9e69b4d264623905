// --trace: a whole trace or none.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/cli/run_program.h"

using namespace stepcast;
using namespace stepcast::test;

TEST_CASE("the option --trace writes a trace beside the answer", "[cli][contract]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", small_scenario());
  const std::string trace = folder.path("trace.json");
  const ProgramEnd end = run_program({"predict", scenario, "--trace", trace});
  REQUIRE(end.exit_code == 0);
  REQUIRE(end.errors == "");
  REQUIRE_FALSE(nlohmann::json::parse(text_of(trace))["traceEvents"].empty());
}

TEST_CASE("a trace is of one scenario, in a folder that exists", "[cli]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", small_scenario());
  const std::string trace = folder.path("trace.json");
  const ProgramEnd two = run_program({"predict", scenario, scenario, "--trace", trace});
  REQUIRE(two.exit_code == 2);
  REQUIRE(two.output == "");
  REQUIRE(two.errors == scenario +
                            ": at /: --trace is for one scenario, here are 2\n"
                            "  hint: name one file that holds one scenario\n");
  REQUIRE_FALSE(std::filesystem::exists(trace));
  const ProgramEnd nowhere = run_program({"predict", scenario, "--trace", "no/such/folder/t.json"});
  REQUIRE(nowhere.exit_code == 2);
  REQUIRE_THAT(nowhere.errors, Catch::Contains("the trace cannot be written: "));
}
