#include "reports/table.h"

#include <catch2/catch.hpp>

namespace stepcast {

TEST_CASE("columns are as wide as their widest cell", "[reports]") {
  Table table = Table::of_numbers(2);
  table.add_row({"", "A", "B"});
  table.add_row({"step time", "1 s", "10.5 s"});
  table.add_row({"GPUs", "16"});
  REQUIRE(table.text() ==
          "               A       B\n"
          "  step time  1 s  10.5 s\n"
          "  GPUs        16\n");
}

TEST_CASE("a character counts as one column, however many bytes it has", "[reports]") {
  REQUIRE(display_width("Größe") == 5);
  Table table({Align::Left, Align::Left});
  table.add_row({"Größe", "x"});
  table.add_row({"abcde", "x"});
  REQUIRE(table.text() == "  Größe  x\n  abcde  x\n");
}

TEST_CASE("words are wrapped at the width, a longer one on a line of its own", "[reports]") {
  REQUIRE(wrapped("", 10) == "");
  REQUIRE(wrapped("one two three", 7) == "one two\nthree");
  REQUIRE(wrapped("one two three", 6) == "one\ntwo\nthree");
  REQUIRE(wrapped("a longer-than-five b c", 5) == "a\nlonger-than-five\nb c");
}

}  // namespace stepcast
