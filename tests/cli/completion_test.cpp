#include <catch2/catch.hpp>

#include "tests/cli/run_program.h"

using namespace stepcast;

namespace {

// What bash offers for the last of `words`, a word a line.
std::string offered_by_bash(const std::string& words, int last) {
  const std::string script = "source <(\"$0\" completion bash); COMP_WORDS=(" + words +
                             "); COMP_CWORD=" + std::to_string(last) +
                             "; _stepcast; printf '%s\\n' \"${COMPREPLY[@]}\"";
  const test::ProgramEnd end = test::run_command({"/bin/bash", "-c", script, STEPCAST_PROGRAM});
  REQUIRE(end.errors.empty());
  return end.output;
}

}  // namespace

TEST_CASE("bash completes commands, commands of commands and their options", "[cli]") {
  REQUIRE(offered_by_bash("stepcast comp", 1) == "compare\ncompletion\n");
  REQUIRE(offered_by_bash("stepcast topology c", 2) == "collectives\ncompare-log\n");
  REQUIRE(offered_by_bash("stepcast topology import --g", 3) == "--gpu\n");
  // A file is nothing the program knows: bash's own completion answers.
  REQUIRE(offered_by_bash("stepcast predict scen", 2) == "\n");
}

TEST_CASE("commands that are hidden from --help are not completed", "[cli]") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const test::ProgramEnd end = test::run_program({"completion", shell});
    REQUIRE(end.exit_code == 0);
    REQUIRE(end.output.find("memory-snapshot") != std::string::npos);
    REQUIRE(end.output.find("fit-profiles") == std::string::npos);
  }
}

TEST_CASE("a shell that completion does not know: exit 2 and one message", "[cli]") {
  const test::ProgramEnd end = test::run_program({"completion", "tcsh"});
  REQUIRE(end.exit_code == 2);
  REQUIRE(end.output.empty());
  REQUIRE(end.errors.find("tcsh") != std::string::npos);
}
