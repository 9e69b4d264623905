#include "base/unit_text.h"

#include <fmt/format.h>

#include <cmath>
#include <span>

#include "base/contract.h"
#include "base/dimension.h"

namespace stepcast {

namespace {

template <class Kind>
std::optional<Kind> parse(std::string_view text) {
  const std::optional<double> amount = parse_amount(text, dimension_of(Kind()));
  return amount ? std::optional(Kind(*amount)) : std::nullopt;
}

template <class Kind>
std::string exact(Kind amount) {
  STEPCAST_REQUIRES(std::isfinite(amount.value()) && amount.value() >= 0.0);
  return fmt::format("{} {}", exact_number(amount.value()), dimension_of(amount).base_unit);
}

/// Three significant digits of a number from 1 on, more where they are left of the point.
std::string few_digits(double number) {
  const double size = std::abs(number);
  if (size < 1.0) return fmt::format("{:.3g}", number);
  std::string text = fmt::format("{:.{}f}", number, size < 10 ? 2 : size < 100 ? 1 : 0);
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

/// The largest shown unit that leaves at least 1, else the smallest.
const Unit& readable_unit(double amount, std::span<const Unit> units) {
  const Unit* best = nullptr;
  for (const Unit& unit : units) {
    const bool leaves_one = std::abs(amount) * unit.over >= unit.times;
    if (unit.shown && (best == nullptr || leaves_one)) best = &unit;
  }
  return *best;
}

template <class Kind>
std::string scaled(Kind amount) {
  const Dimension& dimension = dimension_of(amount);
  if (amount.value() == 0.0) return fmt::format("0 {}", dimension.base_unit);
  const Unit& unit = readable_unit(amount.value(), dimension.units);
  return fmt::format("{} {}", few_digits(amount.value() * unit.over / unit.times), unit.name);
}

}  // namespace

std::optional<Bytes> parse_bytes(std::string_view text) { return parse<Bytes>(text); }
std::optional<Seconds> parse_seconds(std::string_view text) { return parse<Seconds>(text); }
std::optional<BytesPerSecond> parse_bandwidth(std::string_view text) {
  return parse<BytesPerSecond>(text);
}
std::optional<FlopPerSecond> parse_flop_rate(std::string_view text) {
  return parse<FlopPerSecond>(text);
}
std::optional<Flop> parse_flop(std::string_view text) { return parse<Flop>(text); }
std::optional<Watts> parse_watts(std::string_view text) { return parse<Watts>(text); }

std::optional<double> parse_usd(std::string_view text) {
  constexpr Unit usd{"USD"};
  return parse_amount(text, {"money", "400000 USD", "USD", "USD", std::span(&usd, 1)});
}

std::string to_text(Bytes amount) { return scaled(amount); }
std::string to_text(Seconds time) { return scaled(time); }
std::string to_text(BytesPerSecond rate) { return scaled(rate); }
std::string to_text(FlopPerSecond rate) { return scaled(rate); }
std::string to_text(Flop amount) { return scaled(amount); }

std::string exact_text(Bytes amount) { return exact(amount); }
std::string exact_text(Seconds time) { return exact(time); }
std::string exact_text(BytesPerSecond rate) { return exact(rate); }
std::string exact_text(FlopPerSecond rate) { return exact(rate); }
std::string exact_text(Flop amount) { return exact(amount); }
std::string exact_text(Watts power) { return exact(power); }

}  // namespace stepcast
