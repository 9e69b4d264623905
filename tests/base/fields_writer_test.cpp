#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "base/fields.h"
#include "tests/base/fields_sample.h"

namespace stepcast {

namespace {

using nlohmann::json;

template <class Value>
json written(Value value, bool inline_parts = false) {
  return write_fields([&](Fields& f) { describe(f, value); }, inline_parts);
}

/// Machines with any values that may be read.
class MachineMaker {
 public:
  explicit MachineMaker(unsigned seed) : random_(seed) {}

  Machine machine() {
    Machine made;
    made.gears = whole(1, 8);
    made.turns = std::uniform_int_distribution<std::int64_t>(0)(random_);
    made.ratio = positive();
    made.locked = coin();
    made.owner = std::string(static_cast<std::size_t>(whole(0, 3)), '"') + "\n\xC3\xA9";
    made.memory = Bytes(positive());
    made.delay = Seconds(std::fmod(positive(), 60.0));
    made.bandwidth = BytesPerSecond(positive());
    made.rate = FlopPerSecond(positive());
    made.power = Watts(positive());
    for (int i = whole(0, 4); i > 0; --i) made.teeth.push_back(whole(3, 2147483647));
    made.finish = finish();
    if (coin()) made.timeout = Seconds(positive());
    if (coin()) made.limit = whole(-2147483647, 2147483647);
    if (coin()) made.lining = finish();
    for (std::size_t i = 0; i < 3; ++i) {
      if (coin()) made.layers.push_back(i);
    }
    made.front = wheel();
    if (coin()) made.spare = wheel();
    for (int i = whole(0, 3); i > 0; --i) made.others.push_back(wheel());
    made.wheel = wheel();
    if (coin()) made.trailer = wheel();
    return made;
  }

 private:
  bool coin() { return whole(0, 1) == 1; }
  int whole(int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random_);
  }
  Finish finish() { return finish_words.at(static_cast<std::size_t>(whole(0, 2))).first; }
  Wheel wheel() { return {whole(1, 99), positive()}; }

  /// Any bits that are a finite double above zero.
  double positive() {
    const double value = std::abs(std::bit_cast<double>(random_()));
    return std::isfinite(value) && value > 0.0 ? value : positive();
  }

  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("quantities are written in base units, words as words, defaults too", "[base]") {
  Machine machine;
  machine.memory = 80_GiB;
  machine.bandwidth = 400_Gbit_per_s;
  machine.layers = {2};
  machine.limit = 7;
  machine.wheel_name = "road";
  REQUIRE(written(machine) == json::parse(R"({
    "gears": 1, "turns": 0, "ratio": 1.0, "locked": false, "owner": "",
    "memory": "85899345920 B", "delay": "0 s", "bandwidth": "5e+10 B/s", "rate": "0 FLOP/s",
    "power": "0 W", "teeth": [], "finish": "glossy", "limit": 7, "layers": ["wax"],
    "front": {"spokes": 36, "radius": 0.35}, "others": [], "wheel": "road"
  })"));
}

TEST_CASE("a part is written by name or, where asked, in full", "[base]") {
  Machine machine;
  machine.wheel = {20, 0.34};
  machine.wheel_name = "road";
  REQUIRE(written(machine)["wheel"] == "road");
  REQUIRE(written(machine, true)["wheel"] == json{{"spokes", 20}, {"radius", 0.34}});
}

TEST_CASE("what is written reads back the same", "[base]") {
  const unsigned seed = GENERATE(range(1U, 200U));
  const Machine machine = MachineMaker(seed).machine();
  const json first = written(machine);
  REQUIRE(read_sample<Machine>(first.dump()) == machine);
  REQUIRE(written(read_sample<Machine>(first.dump())) == first);
}

TEST_CASE("a machine with named parts reads back the same from either form", "[base]") {
  PartsInMemory parts;
  parts.add("wheels/road", R"({"spokes": 20, "radius": 0.34})");
  Machine machine;
  machine.trailer = machine.wheel = {20, 0.34};
  machine.trailer_name = machine.wheel_name = "road";
  REQUIRE(read_sample<Machine>(written(machine).dump(), parts) == machine);
  Machine nameless = machine;
  nameless.trailer_name = nameless.wheel_name = "";
  REQUIRE(read_sample<Machine>(written(machine, true).dump()) == nameless);
}

TEST_CASE("a fault is not looked for when writing", "[base]") {
  const auto describe_fault = [](Fields& f) {
    REQUIRE_FALSE(f.reading());
    f.fault("a", "wrong");
  };
  REQUIRE(write_fields(describe_fault, false) == json::object());
  REQUIRE(schema_of_fields(describe_fault).contains("properties"));
}

}  // namespace stepcast
