#include <catch2/catch.hpp>
#include <cstdlib>
#include <regex>

#include "tests/cli/run_on_terminal.h"
#include "tests/cli/run_program.h"

using namespace stepcast;
using Catch::Contains;

namespace {

const std::string scenario = "scenarios/guide/65b_8_nodes.json";

std::string without_colors(const std::string& text) {
  return std::regex_replace(text, std::regex("\x1b\\[[0-9;]*m"), "");
}

}  // namespace

TEST_CASE("in a pipe nothing is coloured, unless it is asked for", "[cli]") {
  const test::ProgramEnd plain = test::run_program({"predict", scenario});
  CHECK_THAT(plain.output, !Contains("\x1b["));
  const test::ProgramEnd always = test::run_program({"predict", scenario, "--color", "always"});
  CHECK_THAT(always.output, Contains("\x1b[1mWhere the time goes"));
  CHECK_THAT(always.output, Contains("\x1b[31mdoes not agree\x1b[0m"));
  CHECK(without_colors(always.output) == plain.output);
}

TEST_CASE("what programs read is never coloured", "[cli]") {
  for (const char* format : {"json", "csv"}) {
    const test::ProgramEnd end =
        test::run_program({"predict", scenario, "--format", format, "--color", "always"});
    CHECK(end.exit_code == 0);
    CHECK_THAT(end.output, !Contains("\x1b["));
  }
}

TEST_CASE("an error in colour says the same as without", "[cli]") {
  const std::vector<std::string> wrong{"predict", scenario, "--set", "plan.zero_stage=4"};
  const test::ProgramEnd plain = test::run_program(wrong);
  CHECK_THAT(plain.errors, !Contains("\x1b["));
  std::vector<std::string> colored = wrong;
  colored.insert(colored.begin(), {"--color", "always"});
  const test::ProgramEnd end = test::run_program(colored);
  CHECK(end.exit_code == 2);
  CHECK_THAT(end.errors, Contains("\x1b[31m"));
  CHECK(without_colors(end.errors) == plain.errors);
}

TEST_CASE("a word that --color does not know: exit 2 and the words that it knows", "[cli]") {
  const test::ProgramEnd end = test::run_program({"predict", scenario, "--color", "red"});
  CHECK(end.exit_code == 2);
  CHECK(end.output.empty());
  CHECK_THAT(end.errors, Contains("--color") && Contains("red") && Contains("always"));
}

TEST_CASE("on a terminal reports are coloured, unless NO_COLOR or --color say otherwise", "[cli]") {
  CHECK_THAT(test::run_on_terminal({"predict", scenario}), Contains("\x1b[1mWhere the time goes"));
  CHECK_THAT(test::run_on_terminal({"predict", scenario, "--color", "never"}), !Contains("\x1b["));
  setenv("NO_COLOR", "1", 1);
  const std::string text = test::run_on_terminal({"predict", scenario});
  unsetenv("NO_COLOR");
  CHECK_THAT(text, Contains("Where the time goes") && !Contains("\x1b["));
}

TEST_CASE("long work shows a bar on a terminal and nothing in a pipe", "[cli]") {
  const std::vector<std::string> work{"validate", "scenarios/validation", "--jobs", "1", "--engine",
                                      "event"};
  CHECK_THAT(test::run_on_terminal(work), Contains("=>") && Contains(" left"));
  CHECK(test::run_program(work).errors.empty());
}
