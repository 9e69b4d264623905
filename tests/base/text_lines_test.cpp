#include "base/text_lines.h"

#include <catch2/catch.hpp>

namespace stepcast {

TEST_CASE("text lines: ends of either kind are taken off, the last line may lack one", "[base]") {
  REQUIRE(text_lines("a\r\n\nb", "f") == std::vector<std::string_view>{"a", "", "b"});
  REQUIRE(text_lines("a\n", "f") == std::vector<std::string_view>{"a"});
}

TEST_CASE("text lines: words stand between blanks and tabs", "[base]") {
  REQUIRE(words_of("\t GPU0  X\tNV12 ") == std::vector<std::string_view>{"GPU0", "X", "NV12"});
  REQUIRE(words_of(" \t").empty());
}

TEST_CASE("text lines: a number is the whole word or nothing", "[base]") {
  REQUIRE(whole_number("42") == 42);
  REQUIRE_FALSE(whole_number("42x"));
  REQUIRE_FALSE(whole_number("4.2"));
  REQUIRE(finite_number("2e-07") == 2e-07);
  REQUIRE_FALSE(finite_number("nan"));
  REQUIRE_FALSE(finite_number("N/A"));
}

TEST_CASE("text lines: an empty file and bytes that are no text are refused", "[base]") {
  REQUIRE_THROWS_WITH(text_lines(" \n\t\r\n", "f"), "f: at /: the file is empty");
  REQUIRE_THROWS_WITH(
      text_lines(std::string_view("ok\n\x00\x01", 5), "f"),
      "f: at line 2: this is no text\n  hint: a compressed file is to be unpacked first");
}

}  // namespace stepcast
