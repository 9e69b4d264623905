#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "base/fields.h"
#include "base/schema_changes.h"
#include "base/unit_text.h"
#include "tests/base/fields_sample.h"

namespace stepcast {

namespace {

using nlohmann::json;

template <class Value>
json schema_of(Value value = {}) {
  return schema_of_fields([&](Fields& f) { describe(f, value); });
}

const json wheel_schema = json::parse(R"({
  "type": "object",
  "properties": {
    "spokes": {"type": "integer", "minimum": 1.0, "maximum": 99.0, "description": "spokes a wheel"},
    "radius": {"type": "number", "exclusiveMinimum": 0.0},
    "source": {"type": "string"},
    "comment": {"type": "string"},
    "title": {"type": "string"},
    "caveats": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
  },
  "required": ["spokes"],
  "additionalProperties": false
})");

}  // namespace

TEST_CASE("the schema of an object lists its keys and the text keys, and no others", "[base]") {
  REQUIRE(schema_of<Wheel>() == wheel_schema);
}

TEST_CASE("the schema of each kind of field", "[base]") {
  const json properties = schema_of<Machine>()["properties"];
  REQUIRE(properties["gears"] == json{{"type", "integer"}, {"minimum", 1}, {"maximum", 8}});
  REQUIRE(properties["locked"] == json{{"type", "boolean"}});
  REQUIRE(properties["owner"] == json{{"type", "string"}});
  REQUIRE(properties["delay"] ==
          json{{"type", "string"},
               {"pattern", R"(^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)? ?(ns|us|ms|s|min|h)$)"}});
  REQUIRE(properties["teeth"] ==
          json{{"type", "array"}, {"items", {{"type", "integer"}, {"minimum", 3}}}});
  REQUIRE(properties["finish"] ==
          json{{"type", "string"}, {"enum", {"matt", "glossy", "brushed"}}});
  REQUIRE(properties["lining"] == properties["finish"]);
  REQUIRE(properties["limit"] == json{{"type", "integer"}});
  REQUIRE(properties["layers"] == json::parse(R"({"anyOf": [
    {"type": "string", "enum": ["paint", "oil", "wax"]},
    {"type": "array", "items": {"type": "string", "enum": ["paint", "oil", "wax"]},
     "uniqueItems": true}]})"));
}

TEST_CASE("the schema of nested objects, lists and parts holds theirs", "[base]") {
  const json properties = schema_of<Machine>()["properties"];
  REQUIRE(properties["front"] == wheel_schema);
  REQUIRE(properties["spare"] == wheel_schema);
  REQUIRE(properties["others"] == json{{"type", "array"}, {"items", wheel_schema}});
}

TEST_CASE("a named part is a name, an object, or a base with changes, defined once", "[base]") {
  const json schema = schema_of<Machine>();
  REQUIRE(schema["properties"]["wheel"] == json{{"$ref", "#/$defs/wheels"}});
  REQUIRE(schema["properties"]["trailer"] == schema["properties"]["wheel"]);
  const json with_base =
      json::parse(R"({"allOf": [{"$ref": "#/$defs/wheels_changes"}, {"required": ["base"]}]})");
  REQUIRE(schema["$defs"]["wheels"] ==
          json{{"anyOf", json::array({json{{"type", "string"}}, wheel_schema, with_base})}});
  json changes = schema_of_changes(wheel_schema);
  changes["properties"]["base"] = {{"type", "string"}};
  REQUIRE(schema["$defs"]["wheels_changes"] == changes);
}

TEST_CASE("changes of an object may leave every key out, and take it away by null", "[base]") {
  const json changes = schema_of_changes(wheel_schema);
  REQUIRE_FALSE(changes.contains("required"));
  REQUIRE(changes["additionalProperties"] == false);
  REQUIRE(changes["properties"]["spokes"] == json::parse(R"({"type": ["integer", "null"],
    "minimum": 1.0, "maximum": 99.0, "description": "spokes a wheel"})"));
}

TEST_CASE("changes replace a list whole, and reach into objects and parts", "[base]") {
  const json properties = schema_of_changes(schema_of<Machine>())["properties"];
  REQUIRE(properties["others"] == json{{"type", {"array", "null"}}, {"items", wheel_schema}});
  json wheel = schema_of_changes(wheel_schema);
  wheel["type"] = {"object", "null"};
  REQUIRE(properties["front"] == wheel);
  REQUIRE(properties["finish"] == json::parse(R"({"type": ["string", "null"],
    "enum": ["matt", "glossy", "brushed", null]})"));
  REQUIRE(properties["wheel"] == json::parse(R"({"anyOf": [
    {"type": "string"}, {"$ref": "#/$defs/wheels_changes"}, {"type": "null"}]})"));
}

TEST_CASE("printing a schema leaves what it describes as it was", "[base]") {
  Machine machine;
  machine.others = {{1, 0.5}, {2, 0.5}};
  Machine described = machine;
  schema_of_fields([&](Fields& f) { describe(f, described); });
  REQUIRE(described == machine);
}

TEST_CASE("a quantity's pattern takes what the reader takes", "[base]") {
  const std::regex pattern(
      schema_of<Machine>()["properties"]["delay"]["pattern"].get<std::string>());
  const std::string text =
      GENERATE(as<std::string>(), "12.3 s", "12.3s", "5e+10 ns", "2E3 h", "007 ms", "0 min", "1",
               "1  s", "-1 s", ".5 s", "5. s", "1e s", "nan s", "12 GB", "s", "", "0x1 s", "1 s ");
  CAPTURE(text);
  REQUIRE(std::regex_match(text, pattern) == parse_seconds(text).has_value());
}

}  // namespace stepcast
