#include <catch2/catch.hpp>

#include "tests/cli/run_program.h"

using namespace stepcast;

TEST_CASE("manual pages hold every option of --help", "[cli]") {
  const test::TemporaryFolder folder;
  REQUIRE(test::run_program({"man", folder.path("man1")}).exit_code == 0);
  const std::string program = test::text_of(folder.path("man1/stepcast.1"));
  CHECK_THAT(program, Catch::StartsWith(".TH STEPCAST 1") && Catch::Contains("stepcast\\-sweep"));
  CHECK_THAT(program, !Catch::Contains("fit\\-profiles"));
  const std::string import = test::text_of(folder.path("man1/stepcast-import.1"));
  for (const char* option : {"\\-\\-node", "\\-\\-nodes", "\\-o, \\-\\-out", "N[,N...]"}) {
    CHECK_THAT(import, Catch::Contains(option));
  }
  CHECK_THAT(test::text_of(folder.path("man1/stepcast-topology.1")),
             Catch::Contains(".SS stepcast topology compare\\-log"));
}
