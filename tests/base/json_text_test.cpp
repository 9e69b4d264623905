#include <catch2/catch.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "base/fields.h"
#include "tests/base/error_text.h"

namespace stepcast {

namespace {

std::string parse_error(const std::string& text) {
  return error_text([&] { parse_json(text, "x.json"); });
}

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

}  // namespace

TEST_CASE("valid JSON is read as it stands", "[base]") {
  const nlohmann::json json = parse_json(
      R"( {"a": [1, -2, 2.5, 1e3, true, false, null], "b": {"c": "\u00e9\n"}, "": []} )", "x.json");
  REQUIRE(json.size() == 3);
  REQUIRE(json["a"].size() == 7);
  REQUIRE(json["a"][0] == 1);
  REQUIRE(json["a"][1] == -2);
  REQUIRE(json["a"][2] == 2.5);
  REQUIRE(json["a"][3] == 1000.0);
  REQUIRE(json["a"][4] == true);
  REQUIRE(json["a"][6].is_null());
  REQUIRE(json["b"]["c"] == "\xC3\xA9\n");
  REQUIRE(json[""].is_array());
  REQUIRE(parse_json("7", "x.json") == 7);
}

TEST_CASE("the tree is the one that nlohmann's own parser builds", "[base]") {
  const std::string text = R"([[], {}, {"a": {"b": [[1], [2, [3]]], "c": "x"}, "d": [{}]}, "y"])";
  REQUIRE(parse_json(text, "x.json") == nlohmann::json::parse(text));
}

TEST_CASE("a repeated key is an error at its second place", "[base]") {
  REQUIRE(parse_error("{\"a\": 1,\n  \"b\": 2,\n  \"a\": 3}") ==
          "x.json: at line 3, column 3: the key \"a\" appears twice in one object");
  REQUIRE(parse_error(R"({"r": [{"a\"b": {"q": 1}, "a\"b": 2}]})") ==
          R"(x.json: at line 1, column 27: the key "a\"b" appears twice in one object)");
  REQUIRE(parse_error(R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]})") == "no error");
}

TEST_CASE("64 levels are read and 65 are not", "[base]") {
  REQUIRE(parse_error(nested(64)) == "no error");
  REQUIRE(parse_error(nested(65)) ==
          "x.json: at line 1, column 65: lists and objects are nested more than 64 deep");
}

TEST_CASE("ten megabytes of open brackets fail at once", "[base]") {
  std::string brackets;
  brackets.resize(10'000'000, '[');
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(parse_error(brackets) ==
          "x.json: at line 1, column 65: lists and objects are nested more than 64 deep");
  REQUIRE(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
}

TEST_CASE("JSON that ends too early is an error at its end", "[base]") {
  REQUIRE(parse_error("{\n  \"a\": [1, 2") ==
          "x.json: at line 2, column 13: not valid JSON: unexpected end of input; expected ']'\n"
          "  near \"  \\\"a\\\": [1, 2\"");
}

TEST_CASE("broken JSON is an error at the character that breaks it", "[base]") {
  REQUIRE(parse_error("{\"a\": }") ==
          "x.json: at line 1, column 7: not valid JSON: unexpected '}'; expected '[', '{', or a "
          "literal\n"
          "  near \"{\\\"a\\\": }\"");
  REQUIRE(parse_error("[1] 2") ==
          "x.json: at line 1, column 5: not valid JSON: unexpected number literal; expected end of "
          "input\n"
          "  near \"[1] 2\"");
}

TEST_CASE("comments, NaN and infinity are not JSON", "[base]") {
  const std::string text =
      GENERATE(as<std::string>(), "[1, // one\n 2]", "/* a */ 1", "[NaN]", "[nan]", "[Infinity]",
               "[-inf]", "[01]", "[.5]", "[+1]", "[0x1]", "['a']", "[1,]", "{a: 1}", "{\"a\" 1}");
  CAPTURE(text);
  REQUIRE_THAT(parse_error(text), Catch::Contains(": not valid JSON: "));
}

TEST_CASE("text that is not UTF-8 is an error, and the message is UTF-8 all the same", "[base]") {
  const std::string message = parse_error("[\"caf\xE9\"]");
  REQUIRE(message ==
          "x.json: at line 1, column 7: not valid JSON: invalid string: ill-formed UTF-8 byte\n"
          "  near \"[\\\"caf\xEF\xBF\xBD\\\"\"");
}

TEST_CASE("columns count characters, not bytes", "[base]") {
  REQUIRE_THAT(parse_error("[\"\xC3\xA9\xC3\xA9\", x]"),
               Catch::StartsWith("x.json: at line 1, column 8: not valid JSON: invalid literal"));
}

TEST_CASE("a zero byte does not end the text", "[base]") {
  REQUIRE(parse_error(std::string("{}\n\0garbage", 11)) ==
          "x.json: at line 2, column 1: not valid JSON: a zero byte");
}

TEST_CASE("a number beyond the doubles is an error", "[base]") {
  REQUIRE_THAT(parse_error("[1e999]"),
               Catch::Contains(": a number is too large for a double\n  near \"[1e999"));
}

TEST_CASE("an empty text is an error", "[base]") {
  const std::string text = GENERATE(as<std::string>(), "", "  \n\t\r\n");
  REQUIRE(parse_error(text) == "x.json: at line 1, column 1: the text is empty, expected JSON");
}

TEST_CASE("an error in a long line quotes 60 characters of it", "[base]") {
  const std::string message = parse_error("[\"" + std::string(5'000'000, 'x'));
  REQUIRE(message ==
          "x.json: at line 1, column 5000003: not valid JSON: invalid string: missing closing "
          "quote\n  near \"" +
              std::string(60, 'x') + "\"");
}

}  // namespace stepcast
