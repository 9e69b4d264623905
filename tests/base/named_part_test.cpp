#include <catch2/catch.hpp>
#include <string>

#include "base/fields.h"
#include "tests/base/error_text.h"
#include "tests/base/fields_sample.h"

namespace stepcast {

namespace {

PartsInMemory catalogue() {
  PartsInMemory parts;
  parts.add("wheels/road", R"({"spokes": 20, "radius": 0.34, "source": "a shop"})");
  parts.add("wheels/broken", R"({"spokes": 0})");
  parts.add("wheels/list", "[1]");
  parts.add("wheels/small_road", R"({"base": "road", "radius": 0.25})");
  parts.add("wheels/snake", R"({"base": "snake"})");
  parts.add("wheels/alias", R"("road")");
  return parts;
}

Machine read_machine(const std::string& json) { return read_sample<Machine>(json, catalogue()); }

std::string machine_error(const std::string& json) {
  return error_text([&] { read_machine(json); });
}

/// A part that has a part of its own, to any depth.
void describe_doll(Fields& f, int depth) {
  std::string name;
  f.part("inside", "dolls", name,
         [depth](Fields& inner) {
           if (depth > 0) describe_doll(inner, depth - 1);
         },
         {});
}

}  // namespace

TEST_CASE("a part may be a name", "[base]") {
  const Machine machine = read_machine(R"({"wheel": "road", "trailer": "road"})");
  REQUIRE(machine.wheel == Wheel{20, 0.34});
  REQUIRE(machine.wheel_name == "road");
  REQUIRE(machine.trailer == Wheel{20, 0.34});
  REQUIRE(machine.trailer_name == "road");
}

TEST_CASE("a part may be an inline object, which has no name", "[base]") {
  const Machine machine = read_machine(R"({"wheel": {"spokes": 12}})");
  REQUIRE(machine.wheel == Wheel{12, 0.35});
  REQUIRE(machine.wheel_name.empty());
  REQUIRE_FALSE(machine.trailer.has_value());
}

TEST_CASE("a part may be a named part with changes", "[base]") {
  const Machine machine = read_machine(R"({"wheel": {"base": "road", "spokes": 16}})");
  REQUIRE(machine.wheel == Wheel{16, 0.34});
  REQUIRE(machine.wheel_name.empty());
}

TEST_CASE("an object over a name inside a base changes the part of that name", "[base]") {
  PartsInMemory parts = catalogue();
  parts.add("carts/big", R"({"wheel": "road"})");
  Machine cart;
  read_fields(parse_json(R"({"cart": {"base": "big", "wheel": {"spokes": 16}}})", "x.json"),
              {"x.json", ""}, parts, [&](Fields& f) {
                std::string name;
                f.part("cart", "carts", name, [&](Fields& inner) { describe(inner, cart); }, {});
              });
  REQUIRE(cart.wheel == Wheel{16, 0.34});
}

TEST_CASE("a null over a base takes the key away", "[base]") {
  REQUIRE(read_machine(R"({"wheel": {"base": "road", "radius": null}})").wheel == Wheel{20, 0.35});
}

TEST_CASE("a base may have a base, and a file may be just a name", "[base]") {
  REQUIRE(read_machine(R"({"wheel": {"base": "small_road", "spokes": 8}})").wheel ==
          Wheel{8, 0.25});
  REQUIRE(read_machine(R"({"wheel": "alias"})").wheel == Wheel{20, 0.34});
}

TEST_CASE("an unknown name is the resolver's error, where the name is written", "[base]") {
  REQUIRE(machine_error(R"({"wheel": "boat"})") == "x.json: at /wheel: there is no wheels/boat");
  REQUIRE(machine_error(R"({"wheel": {"base": "boat"}})") ==
          "x.json: at /wheel/base: there is no wheels/boat");
}

TEST_CASE("an error inside a named part gives the part's own file", "[base]") {
  REQUIRE(machine_error(R"({"wheel": "broken"})") ==
          "wheels/broken.json: at /spokes: found the number 0, expected at least 1 and at most 99");
  REQUIRE(machine_error(R"({"wheel": "list"})") ==
          "wheels/list.json: at /: found a list, expected a name or an object");
}

TEST_CASE("with a base, an error is reported where its key is written", "[base]") {
  REQUIRE(machine_error(R"({"wheel": {"base": "broken", "radius": 1}})") ==
          "wheels/broken.json: at /spokes: found the number 0, expected at least 1 and at most 99");
  REQUIRE(machine_error(R"({"wheel": {"base": "road", "spokes": 100}})") ==
          "x.json: at /wheel/spokes: found the number 100, expected at least 1 and at most 99");
  REQUIRE(machine_error(R"({"wheel": {"base": "small_road", "radius": -1}})") ==
          "x.json: at /wheel/radius: found the number -1, expected more than 0");
}

TEST_CASE("a part that is neither name nor object is an error", "[base]") {
  REQUIRE(machine_error(R"({"wheel": 3})") ==
          "x.json: at /wheel: found the number 3, expected a name or an object");
  REQUIRE(machine_error(R"({"wheel": {"base": 3}})") ==
          "x.json: at /wheel/base: found the number 3, expected text");
}

TEST_CASE("a part that names itself is an error", "[base]") {
  REQUIRE(machine_error(R"({"wheel": "snake"})") ==
          "wheels/snake.json: at /base: parts name further parts more than 8 deep\n"
          "  hint: does \"snake\" name itself?");
}

TEST_CASE("names inside named parts go eight deep and no deeper", "[base]") {
  PartsInMemory parts;
  parts.add("dolls/0", "{}");
  for (int i = 1; i < 9; ++i) {
    parts.add("dolls/" + std::to_string(i), R"({"inside": ")" + std::to_string(i - 1) + "\"}");
  }
  const auto read_doll = [&](const std::string& outermost) {
    return error_text([&] {
      read_fields(nlohmann::json{{"inside", outermost}}, {"x.json", ""}, parts,
                  [](Fields& f) { describe_doll(f, 12); });
    });
  };
  REQUIRE(read_doll("7") == "no error");  // names 7, 6, .. 0: eight of them
  REQUIRE(read_doll("8") ==
          "dolls/1.json: at /inside: parts name further parts more than 8 deep\n"
          "  hint: does \"0\" name itself?");
}

}  // namespace stepcast
