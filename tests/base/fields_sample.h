// A described type with a field of every kind, for the tests of reading, writing and schemas.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "base/units.h"

namespace stepcast {

enum class Finish { Matt, Glossy, Brushed };
constexpr std::array<std::pair<Finish, std::string_view>, 3> finish_words{
    {{Finish::Matt, "matt"}, {Finish::Glossy, "glossy"}, {Finish::Brushed, "brushed"}}};

struct Wheel {
  int spokes = 36;
  double radius = 0.35;
  bool operator==(const Wheel&) const = default;
};

inline void describe(Fields& f, Wheel& wheel) {
  f.field("spokes", wheel.spokes,
          {.presence = Presence::Required, .at_least = 1, .at_most = 99, .doc = "spokes a wheel"});
  f.field("radius", wheel.radius, {.more_than = 0});
}

struct Machine {
  int gears = 1;
  std::int64_t turns = 0;
  double ratio = 1.0;
  bool locked = false;
  std::string owner;
  Bytes memory;
  Seconds delay;
  BytesPerSecond bandwidth;
  FlopPerSecond rate;
  Watts power;
  std::vector<int> teeth;
  Finish finish = Finish::Glossy;
  std::optional<Seconds> timeout;
  std::optional<int> limit;
  std::optional<Finish> lining;
  std::vector<std::size_t> layers;
  Wheel front;
  std::optional<Wheel> spare;
  std::vector<Wheel> others;
  std::string wheel_name;
  Wheel wheel;
  std::string trailer_name;
  std::optional<Wheel> trailer;
  bool operator==(const Machine&) const = default;
};

inline void describe(Fields& f, Machine& machine) {
  static constexpr std::array<std::string_view, 3> layer_names{"paint", "oil", "wax"};
  f.field("gears", machine.gears, {.at_least = 1, .at_most = 8});
  f.field("turns", machine.turns, {.at_least = 0});
  f.field("ratio", machine.ratio, {.more_than = 0});
  f.field("locked", machine.locked, {});
  f.field("owner", machine.owner, {});
  f.field("memory", machine.memory, {});
  f.field("delay", machine.delay, {.at_most = 60});
  f.field("bandwidth", machine.bandwidth, {});
  f.field("rate", machine.rate, {});
  f.field("power", machine.power, {});
  f.field("teeth", machine.teeth, {.at_least = 3});
  f.field("finish", machine.finish, finish_words, {});
  f.field("timeout", machine.timeout, {.more_than = 0});
  f.field("limit", machine.limit, {});
  f.field("lining", machine.lining, finish_words, {});
  f.word_list("layers", machine.layers, layer_names, {});
  f.object("front", [&](Fields& inner) { describe(inner, machine.front); }, {});
  f.object("spare", machine.spare, {});
  f.list("others", machine.others, {});
  f.part("wheel", "wheels", machine.wheel_name,
         [&](Fields& inner) { describe(inner, machine.wheel); }, {});
  f.part("trailer", "wheels", machine.trailer_name, machine.trailer, {});
}

/// Finds parts in memory; the part "road" of kind "wheels" has the file name "wheels/road.json".
class PartsInMemory : public PartResolver {
 public:
  void add(const std::string& kind_and_name, const std::string& json) {
    parts_[kind_and_name] =
        std::make_shared<const nlohmann::json>(parse_json(json, kind_and_name + ".json"));
  }

  Part resolve(std::string_view kind, const std::string& name, const InputPlace& from) override {
    const std::string key = std::string(kind) + "/" + name;
    const auto found = parts_.find(key);
    if (found == parts_.end()) throw InputError(from, "there is no " + key);
    return {key + ".json", found->second};
  }

 private:
  std::map<std::string, std::shared_ptr<const nlohmann::json>> parts_;
};

/// Reads "x.json" with the text `json`; parts are looked up in `parts`.
template <class Value>
Value read_sample(const std::string& json, PartsInMemory parts = {}) {
  Value value;
  read_fields(parse_json(json, "x.json"), {"x.json", ""}, parts,
              [&](Fields& f) { describe(f, value); });
  return value;
}

}  // namespace stepcast
