#include <catch2/catch.hpp>
#include <string>

#include "base/fields.h"
#include "tests/base/error_text.h"
#include "tests/base/fields_sample.h"

namespace stepcast {

namespace {

std::string machine_error(const std::string& json) {
  return error_text([&] { read_sample<Machine>(json); });
}

std::string wheel_error(const std::string& json) {
  return error_text([&] { read_sample<Wheel>(json); });
}

const std::string machine_keys =
    "  expected keys: gears, turns, ratio, locked, owner, memory, delay, bandwidth, rate, power, "
    "teeth, finish, timeout, limit, lining, layers, front, spare, others, wheel, trailer";

}  // namespace

TEST_CASE("every kind of field is read", "[base]") {
  const auto machine = read_sample<Machine>(R"({
    "gears": 3, "turns": 1.4e12, "ratio": 2, "locked": true, "owner": "Ada",
    "memory": "80 GiB", "delay": "3 us", "bandwidth": "400 Gbit/s", "rate": "312 TFLOP/s",
    "power": "6.5 kW", "teeth": [3, 5], "finish": "brushed", "timeout": "2 min", "limit": -4,
    "lining": "matt", "layers": ["wax", "paint"], "front": {"spokes": 24, "radius": 0.5},
    "spare": {"spokes": 20}, "others": [{"spokes": 1}, {"spokes": 2}]
  })");
  REQUIRE(machine.gears == 3);
  REQUIRE(machine.turns == 1'400'000'000'000);
  REQUIRE(machine.ratio == 2.0);
  REQUIRE(machine.locked);
  REQUIRE(machine.owner == "Ada");
  REQUIRE(machine.memory == 80_GiB);
  REQUIRE(machine.delay == 3_us);
  REQUIRE(machine.bandwidth == 50_GB_per_s);
  REQUIRE(machine.rate == 312_TFLOP_per_s);
  REQUIRE(machine.power == 6500_W);
  REQUIRE(machine.teeth == std::vector<int>{3, 5});
  REQUIRE(machine.finish == Finish::Brushed);
  REQUIRE(machine.timeout == 120_s);
  REQUIRE(machine.limit == -4);
  REQUIRE(machine.lining == Finish::Matt);
  REQUIRE(machine.layers == std::vector<std::size_t>{2, 0});
  REQUIRE(machine.front == Wheel{24, 0.5});
  REQUIRE(machine.spare == Wheel{20, 0.35});
  REQUIRE(machine.others == std::vector<Wheel>{{1, 0.35}, {2, 0.35}});
}

TEST_CASE("an absent optional key leaves the default", "[base]") {
  REQUIRE(read_sample<Machine>("{}") == Machine{});
}

TEST_CASE("one word stands for a list of one", "[base]") {
  REQUIRE(read_sample<Machine>(R"({"layers": "oil"})").layers == std::vector<std::size_t>{1});
}

TEST_CASE("text about an object is allowed in every object and read by nobody", "[base]") {
  REQUIRE(read_sample<Machine>(R"({"source": "a", "comment": "b", "title": "c",
      "caveats": ["d", "e"], "front": {"spokes": 36, "caveats": "f"}})") == Machine{});
}

TEST_CASE("text about an object that is no text is an error", "[base]") {
  REQUIRE(machine_error(R"({"source": 3})") ==
          "x.json: at /source: found the number 3, expected text");
  REQUIRE(machine_error(R"({"comment": ["a"]})") ==
          "x.json: at /comment: found a list, expected text");
  REQUIRE(machine_error(R"({"caveats": {}})") ==
          "x.json: at /caveats: found an object, expected text or a list of texts");
  REQUIRE(machine_error(R"({"caveats": ["a", null]})") ==
          "x.json: at /caveats/1: found null, expected text");
}

TEST_CASE("a described title is a field", "[base]") {
  std::string title;
  PartsInMemory parts;
  const auto describe_title = [&](Fields& f) { f.field("title", title, {}); };
  read_fields(nlohmann::json{{"title", "A"}}, {"x.json", ""}, parts, describe_title);
  REQUIRE(title == "A");
}

TEST_CASE("an unknown key is an error with the nearest key as hint", "[base]") {
  REQUIRE(machine_error(R"({"gear": 3})") == "x.json: at /: unknown key \"gear\"\n" + machine_keys +
                                                 "\n  hint: did you mean \"gears\"?");
  REQUIRE(machine_error(R"({"colour": "red"})") ==
          "x.json: at /: unknown key \"colour\"\n" + machine_keys);
  REQUIRE(machine_error(R"({"others": [{"spokes": 3}, {"spokes": 3, "raduis": 1}]})") ==
          "x.json: at /others/1: unknown key \"raduis\"\n"
          "  expected keys: spokes, radius\n"
          "  hint: did you mean \"radius\"?");
  REQUIRE(machine_error(R"({"base": "x"})") ==
          "x.json: at /: unknown key \"base\"\n" + machine_keys);
}

TEST_CASE("a missing key is an error at its object", "[base]") {
  REQUIRE(machine_error(R"({"front": {"radius": 1}})") ==
          "x.json: at /front: the key \"spokes\" is missing\n"
          "  spokes: spokes a wheel");
}

TEST_CASE("a misspelt required key is reported as unknown, not as missing", "[base]") {
  REQUIRE(wheel_error(R"({"spoks": 3})") ==
          "x.json: at /: unknown key \"spoks\"\n"
          "  expected keys: spokes, radius\n"
          "  hint: did you mean \"spokes\"?");
}

TEST_CASE("a required optional member must be there", "[base]") {
  std::optional<int> count;
  PartsInMemory parts;
  const auto describe_count = [&](Fields& f) {
    f.field("count", count, {.presence = Presence::Required});
  };
  REQUIRE(error_text([&] {
            read_fields(nlohmann::json::object(), {"x.json", ""}, parts, describe_count);
          }) == "x.json: at /: the key \"count\" is missing");
}

TEST_CASE("a bare number is no quantity", "[base]") {
  REQUIRE(machine_error(R"({"delay": 12.3})") ==
          "x.json: at /delay: found the number 12.3, expected a time with its unit\n"
          "  hint: write \"12.3 s\"");
  REQUIRE(machine_error(R"({"memory": 80})") ==
          "x.json: at /memory: found the number 80, expected a size with its unit\n"
          "  hint: write \"80 GB\"");
  REQUIRE(machine_error(R"({"memory": 85899345920})") ==
          "x.json: at /memory: found the number 85899345920, expected a size with its unit\n"
          "  hint: write \"85899345920 B\"");
  REQUIRE(machine_error(R"({"bandwidth": 25})") ==
          "x.json: at /bandwidth: found the number 25, expected a bandwidth with its unit\n"
          "  hint: write \"25 GB/s\"");
}

TEST_CASE("a quantity of another dimension is an error that lists the units", "[base]") {
  REQUIRE(machine_error(R"({"delay": "12 GB"})") ==
          "x.json: at /delay: found \"12 GB\", expected a time such as \"12.3 s\" "
          "(ns, us, ms, s, min, h)");
  REQUIRE(machine_error(R"({"memory": "8 Gbit"})") ==
          "x.json: at /memory: found \"8 Gbit\", expected a size such as \"80 GiB\" "
          "(B, kB, MB, GB, TB, KiB, MiB, GiB, TiB)");
  REQUIRE(machine_error(R"({"rate": null})") ==
          "x.json: at /rate: found null, expected a FLOP rate such as \"312 TFLOP/s\" "
          "(FLOP/s, MFLOP/s, GFLOP/s, TFLOP/s, PFLOP/s, EFLOP/s)");
  REQUIRE(machine_error(R"({"power": ["1 W"]})") ==
          "x.json: at /power: found a list, expected a power such as \"400 W\" (W, kW, MW)");
}

TEST_CASE("a value of another type is an error", "[base]") {
  REQUIRE(machine_error(R"({"gears": "3"})") ==
          "x.json: at /gears: found \"3\", expected a whole number");
  REQUIRE(machine_error(R"({"gears": 4.0})") ==
          "x.json: at /gears: found the number 4.0, expected a whole number");
  REQUIRE(machine_error(R"({"turns": 4.5})") ==
          "x.json: at /turns: found the number 4.5, expected a whole number");
  REQUIRE(machine_error(R"({"turns": false})") ==
          "x.json: at /turns: found false, expected a whole number");
  REQUIRE(machine_error(R"({"ratio": "x"})") ==
          "x.json: at /ratio: found \"x\", expected a number");
  REQUIRE(machine_error(R"({"locked": 1})") ==
          "x.json: at /locked: found the number 1, expected true or false");
  REQUIRE(machine_error(R"({"owner": {}})") == "x.json: at /owner: found an object, expected text");
  REQUIRE(machine_error(R"({"teeth": 3})") ==
          "x.json: at /teeth: found the number 3, expected a list of whole numbers");
  REQUIRE(machine_error(R"({"teeth": [3, 3.5]})") ==
          "x.json: at /teeth/1: found the number 3.5, expected a whole number");
  REQUIRE(machine_error(R"({"front": 3})") ==
          "x.json: at /front: found the number 3, expected an object");
  REQUIRE(machine_error(R"({"others": {}})") ==
          "x.json: at /others: found an object, expected a list");
  REQUIRE(machine_error(R"({"others": [{"spokes": 3}, 3]})") ==
          "x.json: at /others/1: found the number 3, expected an object");
  REQUIRE(machine_error("[]") == "x.json: at /: found a list, expected an object");
}

TEST_CASE("a value out of range is an error that gives the range", "[base]") {
  REQUIRE(machine_error(R"({"gears": 0})") ==
          "x.json: at /gears: found the number 0, expected at least 1 and at most 8");
  REQUIRE(machine_error(R"({"gears": 9})") ==
          "x.json: at /gears: found the number 9, expected at least 1 and at most 8");
  REQUIRE(machine_error(R"({"turns": -1})") ==
          "x.json: at /turns: found the number -1, expected at least 0");
  REQUIRE(machine_error(R"({"ratio": 0})") ==
          "x.json: at /ratio: found the number 0, expected more than 0");
  REQUIRE(machine_error(R"({"delay": "2 min"})") ==
          "x.json: at /delay: found \"2 min\", expected at most 60 s");
  REQUIRE(machine_error(R"({"timeout": "0 s"})") ==
          "x.json: at /timeout: found \"0 s\", expected more than 0 s");
  REQUIRE(machine_error(R"({"teeth": [3, 2]})") ==
          "x.json: at /teeth/1: found the number 2, expected at least 3");
}

TEST_CASE("a bound itself is in range", "[base]") {
  REQUIRE(read_sample<Machine>(R"({"gears": 8, "delay": "1 min"})").gears == 8);
  REQUIRE(read_sample<Machine>(R"({"gears": 1})").gears == 1);
}

TEST_CASE("whole numbers that do not fit are errors", "[base]") {
  REQUIRE(machine_error(R"({"limit": 2147483648})") ==
          "x.json: at /limit: found the number 2147483648, expected a whole number from "
          "-2147483648 to 2147483647");
  REQUIRE(machine_error(R"({"limit": 18446744073709551615})") ==
          "x.json: at /limit: found the number 18446744073709551615, expected a whole number from "
          "-2147483648 to 2147483647");
  REQUIRE(machine_error(R"({"turns": 9223372036854775808})") ==
          "x.json: at /turns: found the number 9223372036854775808, expected a whole number up to "
          "9223372036854775807");
  REQUIRE(read_sample<Machine>(R"({"limit": -2147483648})").limit == -2147483648);
  REQUIRE(read_sample<Machine>(R"({"turns": 9223372036854775807})").turns == 9223372036854775807);
}

TEST_CASE("an unknown word is an error that lists the words", "[base]") {
  REQUIRE(machine_error(R"({"finish": "glosy"})") ==
          "x.json: at /finish: found \"glosy\", expected one of matt, glossy, brushed\n"
          "  hint: did you mean \"glossy\"?");
  REQUIRE(machine_error(R"({"finish": 2})") ==
          "x.json: at /finish: found the number 2, expected one of matt, glossy, brushed");
  REQUIRE(machine_error(R"({"layers": ["oil", "glue"]})") ==
          "x.json: at /layers/1: found \"glue\", expected one of paint, oil, wax");
  REQUIRE(machine_error(R"({"layers": ["oil", "wax", "oil"]})") ==
          "x.json: at /layers/2: \"oil\" is listed twice");
}

TEST_CASE("a long value is cut to sixty characters", "[base]") {
  REQUIRE(machine_error(R"({"delay": ")" + std::string(1000, 'y') + "\"}") ==
          "x.json: at /delay: found \"" + std::string(60, 'y') +
              "\"..., expected a time such as \"12.3 s\" (ns, us, ms, s, min, h)");
  // The 60th byte is the first of a two-byte character, which then goes too.
  REQUIRE(machine_error(R"({"delay": ")" + std::string(59, 'y') + "\xC3\xA9\xC3\xA9\"}") ==
          "x.json: at /delay: found \"" + std::string(59, 'y') +
              "\"..., expected a time such as \"12.3 s\" (ns, us, ms, s, min, h)");
}

TEST_CASE("a description reports a fault of its own at the key or at the object", "[base]") {
  PartsInMemory parts;
  const auto fault_at = [&](const std::string& key) {
    return error_text([&] {
      read_fields(nlohmann::json{{"a", 1}}, {"x.json", "/runs/0"}, parts,
                  [&](Fields& f) { f.fault(key, "1 is odd", "take 2", {"2 is even"}); });
    });
  };
  REQUIRE(fault_at("a") == "x.json: at /runs/0/a: 1 is odd\n  2 is even\n  hint: take 2");
  REQUIRE(fault_at("") == "x.json: at /runs/0: 1 is odd\n  2 is even\n  hint: take 2");
}

}  // namespace stepcast
