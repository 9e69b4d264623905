#include "scenarios/import/shell_script.h"

#include <catch2/catch.hpp>

#include "tests/base/error_text.h"

using namespace stepcast;

namespace {

// The words of the script's last command, a bar between them.
std::string last_command(const std::string& text) {
  const ShellScript script = read_shell_script(text, "run.sh");
  REQUIRE(!script.commands.empty());
  std::string words;
  for (const ShellWord& word : script.commands.back().words) {
    words += (words.empty() ? "" : "|") + word.text;
  }
  return words;
}

std::string refusal(const std::string& text) {
  return error_text([&] { read_shell_script(text, "run.sh"); });
}

}  // namespace

TEST_CASE("a script's words: continued lines, quotes, comments", "[scenarios]") {
  CHECK(last_command("run --a 1 \\\n  --b '2 3' # not this\n") == "run|--a|1|--b|2 3");
  CHECK(last_command("one; two \"a b\"c && three") == "three");
  CHECK(last_command("run a\\ b") == "run|a b");
}

TEST_CASE("a script's variables: plain, with a default, in quotes, unset", "[scenarios]") {
  CHECK(last_command("N=4\nrun $N ${N}x \"$N\" '$N'") == "run|4|4x|4|$N");
  CHECK(last_command("run ${NODES:-16} $1 $(hostname)") == "run|16|$1|$(hostname)");
  CHECK(last_command("ARGS=\"--a 1 \\\n --b 2\"\nrun $ARGS \"$ARGS\"") ==
        "run|--a|1|--b|2|--a 1  --b 2");
  CHECK(last_command("if [ -z $X ]; then\n export N=8\nfi\nrun $N") == "run|8");
}

TEST_CASE("a script's arrays keep their elements, and grow", "[scenarios]") {
  CHECK(last_command("A=(\n --x 1 # one\n)\nA+=(--y 'b c')\nrun ${A[@]}") == "run|--x|1|--y|b c");
}

TEST_CASE("a script's sums are worked out", "[scenarios]") {
  CHECK(last_command("G=8\nN=4\nrun $(($G*$N)) $((G * (N + 1) - 3)) $((G/0))") ==
        "run|32|37|$((G/0))");
}

TEST_CASE("a here-document is no command", "[scenarios]") {
  CHECK(last_command("cat <<EOT > ds.json\n{ \"a\": 'x }\nEOT\nrun now") == "run|now");
}

TEST_CASE("an open quote, list or expansion is refused with the line it begins on", "[scenarios]") {
  CHECK(refusal("a\nrun \"x\ny") == "run.sh: at line 2: the quote that begins here has no end");
  CHECK(refusal("A=( x") == "run.sh: at line 1: the list that begins here has no end");
  CHECK(refusal("run ${A") == "run.sh: at line 1: the expansion that begins here has no end");
}
