#include "base/dimension.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <system_error>

namespace stepcast {

namespace {

constexpr double kibi = 1024.0;
constexpr double mebi = kibi * kibi;
constexpr double gibi = kibi * mebi;
constexpr double tebi = kibi * gibi;

constexpr Unit hidden(std::string_view name, double times, double over = 1.0) {
  return {name, times, over, false};
}

constexpr std::array byte_units{Unit{"B"},         hidden("kB", 1e3),  hidden("MB", 1e6),
                                hidden("GB", 1e9), hidden("TB", 1e12), Unit{"KiB", kibi},
                                Unit{"MiB", mebi}, Unit{"GiB", gibi},  Unit{"TiB", tebi}};
constexpr std::array second_units{Unit{"ns", 1, 1e9}, Unit{"us", 1, 1e6}, Unit{"ms", 1, 1e3},
                                  Unit{"s"},          hidden("min", 60),  Unit{"h", 3600}};
constexpr std::array bandwidth_units{Unit{"B/s"},
                                     Unit{"kB/s", 1e3},
                                     Unit{"MB/s", 1e6},
                                     Unit{"GB/s", 1e9},
                                     Unit{"TB/s", 1e12},
                                     hidden("KiB/s", kibi),
                                     hidden("MiB/s", mebi),
                                     hidden("GiB/s", gibi),
                                     hidden("TiB/s", tebi),
                                     hidden("bit/s", 1, 8),
                                     hidden("kbit/s", 1e3, 8),
                                     hidden("Mbit/s", 1e6, 8),
                                     hidden("Gbit/s", 1e9, 8),
                                     hidden("Tbit/s", 1e12, 8)};
constexpr std::array flop_rate_units{Unit{"FLOP/s"},        Unit{"MFLOP/s", 1e6},
                                     Unit{"GFLOP/s", 1e9},  Unit{"TFLOP/s", 1e12},
                                     Unit{"PFLOP/s", 1e15}, Unit{"EFLOP/s", 1e18}};
constexpr std::array flop_units{Unit{"FLOP"},        Unit{"MFLOP", 1e6},  Unit{"GFLOP", 1e9},
                                Unit{"TFLOP", 1e12}, Unit{"PFLOP", 1e15}, Unit{"EFLOP", 1e18}};
constexpr std::array watt_units{Unit{"W"}, Unit{"kW", 1e3}, Unit{"MW", 1e6}};

constexpr Dimension size{"size", "80 GiB", "B", "GB", byte_units};
constexpr Dimension time{"time", "12.3 s", "s", "s", second_units};
constexpr Dimension bandwidth{"bandwidth", "400 Gbit/s", "B/s", "GB/s", bandwidth_units};
constexpr Dimension flop_rate{"FLOP rate", "312 TFLOP/s", "FLOP/s", "TFLOP/s", flop_rate_units};
constexpr Dimension flop{"FLOP count", "1.2 PFLOP", "FLOP", "TFLOP", flop_units};
constexpr Dimension power{"power", "400 W", "W", "W", watt_units};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes the number off the front of `text`. It starts with a digit, which leaves out signs, inf,
/// nan and ".5", and has one after its point, which leaves out "5." and "5.e3".
std::optional<double> take_number(std::string_view& text) {
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const auto length = static_cast<std::size_t>(end - text.data());
  const std::size_t point = text.find('.');
  if (point < length && (point + 1 == length || !is_digit(text[point + 1]))) return std::nullopt;
  text.remove_prefix(length);
  return number;
}

std::string joined(std::span<const Unit> units, std::string_view separator) {
  std::string text;
  for (const Unit& unit : units) {
    if (!text.empty()) text += separator;
    text += unit.name;
  }
  return text;
}

}  // namespace

const Dimension& dimension_of(Bytes) { return size; }
const Dimension& dimension_of(Seconds) { return time; }
const Dimension& dimension_of(BytesPerSecond) { return bandwidth; }
const Dimension& dimension_of(FlopPerSecond) { return flop_rate; }
const Dimension& dimension_of(Watts) { return power; }
const Dimension& dimension_of(Flop) { return flop; }

std::optional<double> parse_amount(std::string_view text, const Dimension& dimension) {
  const std::optional<double> number = take_number(text);
  if (!number) return std::nullopt;
  if (text.starts_with(' ')) text.remove_prefix(1);
  const auto unit = std::find_if(dimension.units.begin(), dimension.units.end(),
                                 [&](const Unit& candidate) { return candidate.name == text; });
  if (unit == dimension.units.end()) return std::nullopt;
  const double amount = *number * unit->times / unit->over;
  return std::isfinite(amount) ? std::optional(amount) : std::nullopt;
}

std::string amount_pattern(const Dimension& dimension) {
  return fmt::format("^[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)? ?({})$", joined(dimension.units, "|"));
}

std::string unit_names(const Dimension& dimension) { return joined(dimension.units, ", "); }

std::string exact_number(double number) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), end};
}

}  // namespace stepcast
