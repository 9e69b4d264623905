#include "reports/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/unit_text.h"

namespace stepcast {
namespace {

std::string without_trailing_zeros(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

// 85312.7 -> 85310
double to_four_digits(double number) {
  const double step = std::pow(10.0, std::floor(std::log10(std::abs(number))) - 3.0);
  return std::round(number / step) * step;
}

std::string with_sign(const std::string& text, double number) {
  return number > 0.0 ? "+" + text : text;
}

}  // namespace

std::string count_text(std::int64_t count) {
  std::string digits = std::to_string(count);
  const std::ptrdiff_t first = count < 0 ? 1 : 0;
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > first; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string rounded_text(double number) {
  constexpr double exact_integers = 1e15;
  const double size = std::abs(number);
  if (!(size < exact_integers)) return fmt::format("{:.3g}", number);
  if (size >= 999.5) return count_text(std::llround(to_four_digits(number)));
  if (size < 1.0) return fmt::format("{:.3g}", number);
  const int decimals = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
  return without_trailing_zeros(fmt::format("{:.{}f}", number, decimals));
}

std::string share_text(double share) {
  if (share > 0.0 && share < 0.0005) return "< 0.1 %";
  if (share < 1.0 && share > 0.9995) return "> 99.9 %";
  const double rounded = std::round(1000.0 * share) / 10.0 + 0.0;  // + 0.0: no "-0 %"
  return without_trailing_zeros(fmt::format("{:.1f}", rounded)) + " %";
}

std::string signed_share_text(double share) {
  const double rounded = std::round(1000.0 * share) / 10.0;
  return with_sign(rounded_text(rounded + 0.0), rounded) + " %";
}

std::string signed_text(Seconds time) { return with_sign(to_text(time), time.value()); }

std::string signed_text(double number) { return with_sign(rounded_text(number), number); }

std::string factor_text(double factor) {
  const int decimals = factor < 0.1 ? 4 : factor < 10.0 ? 2 : 1;
  return without_trailing_zeros(fmt::format("{:.{}f}", factor, decimals)) + "x";
}

std::string usd_text(double usd) {
  if (std::abs(usd) >= 1000.0) return rounded_text(usd) + " USD";
  const int decimals = std::abs(usd) < 10.0 ? 3 : 2;
  return without_trailing_zeros(fmt::format("{:.{}f}", usd, decimals)) + " USD";
}

std::string hours_text(double hours) {
  if (hours < 48.0) return rounded_text(hours) + " h";
  return fmt::format("{} h ({} days)", rounded_text(hours), rounded_text(hours / 24.0));
}

std::string share_bar(double share) {
  const double marks = std::clamp(std::round(40.0 * share), 0.0, 40.0);
  return std::string(static_cast<std::size_t>(marks), '#');
}

}  // namespace stepcast
