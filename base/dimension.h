// The units that a kind of quantity is written in: one table for reading, writing, error messages
// and schemas. Private to base/; others use unit_text.h.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/units.h"

namespace stepcast {

/// One of it is `times / over` base units. Two numbers, because each of them is exact as a double
/// where their quotient (1e-6) is not.
struct Unit {
  std::string_view name;
  double times = 1.0;
  double over = 1.0;
  bool shown = true;  ///< used in text for people, who want one unit a magnitude
};

struct Dimension {
  std::string_view noun;        ///< "time"
  std::string_view example;     ///< "12.3 s"
  std::string_view base_unit;   ///< "s"
  std::string_view usual_unit;  ///< what a bare number most likely meant
  std::span<const Unit> units;  ///< those that are shown in ascending order
};

const Dimension& dimension_of(Bytes);
const Dimension& dimension_of(Seconds);
const Dimension& dimension_of(BytesPerSecond);
const Dimension& dimension_of(FlopPerSecond);
const Dimension& dimension_of(Watts);
const Dimension& dimension_of(Flop);

/// The amount in base units; empty where `text` is not a number >= 0 with a unit of `dimension`.
std::optional<double> parse_amount(std::string_view text, const Dimension& dimension);

/// What `parse_amount` takes, as a regular expression (ECMA 262, which JSON Schema uses).
std::string amount_pattern(const Dimension& dimension);

/// The names of all units: "ns, us, ms, s, min, h".
std::string unit_names(const Dimension& dimension);

/// The shortest decimal that reads back to the same double.
std::string exact_number(double number);

}  // namespace stepcast
