#include "base/field_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/dimension.h"
#include "base/json_excerpt.h"
#include "base/near_names.h"

namespace stepcast {

namespace {

using nlohmann::json;

constexpr double largest_whole_double = 9007199254740992.0;  // 2^53

[[noreturn]] void refuse(const json& found, const InputPlace& place, std::string_view expected,
                         std::string hint = {}) {
  throw InputError(place, fmt::format("found {}, expected {}", found_text(found), expected),
                   std::move(hint));
}

/// "at least 1 and at most 8"; `unit` is empty or starts with a space.
std::string bounds_text(const FieldRules& rules, const std::string& unit) {
  std::vector<std::string> bounds;
  const auto add = [&](std::string_view words, const std::optional<double>& bound) {
    if (bound) bounds.push_back(fmt::format("{} {}{}", words, *bound, unit));
  };
  add("at least", rules.at_least);
  add("more than", rules.more_than);
  add("at most", rules.at_most);
  return fmt::format("{}", fmt::join(bounds, " and "));
}

void check_bounds(double number, const json& found, const InputPlace& place,
                  const FieldRules& rules, const std::string& unit = {}) {
  const bool too_small = (rules.at_least && number < *rules.at_least) ||
                         (rules.more_than && number <= *rules.more_than);
  const bool too_large = rules.at_most && number > *rules.at_most;
  if (too_small || too_large) refuse(found, place, bounds_text(rules, unit));
}

/// The 64-bit number that a JSON integer is; empty where it is none or does not fit.
std::optional<std::int64_t> whole_number(const json& found) {
  if (!found.is_number_integer()) return std::nullopt;
  if (found.is_number_unsigned() &&
      found.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return std::nullopt;
  }
  return found.get<std::int64_t>();
}

/// Large counts may be written with an exponent: 1.4e12. Past 2^53 it may not be the number meant.
std::optional<std::int64_t> whole_double(const json& found) {
  if (!found.is_number_float()) return std::nullopt;
  const double number = found.get<double>();
  if (std::abs(number) > largest_whole_double || std::trunc(number) != number) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

template <class Kind>
void read_quantity(const json& found, const InputPlace& place, const FieldRules& rules,
                   Kind& value) {
  const Dimension& dimension = dimension_of(Kind());
  if (found.is_number()) {
    const bool usual = std::abs(found.get<double>()) < 1e6;  // larger ones come in the base unit
    refuse(found, place, fmt::format("a {} with its unit", dimension.noun),
           fmt::format("write \"{} {}\"", found.dump(),
                       usual ? dimension.usual_unit : dimension.base_unit));
  }
  const std::optional<double> amount =
      found.is_string() ? parse_amount(found.get_ref<const std::string&>(), dimension)
                        : std::nullopt;
  if (!amount) {
    refuse(found, place,
           fmt::format("a {} such as \"{}\" ({})", dimension.noun, dimension.example,
                       unit_names(dimension)));
  }
  check_bounds(*amount, found, place, rules, fmt::format(" {}", dimension.base_unit));
  value = Kind(*amount);
}

}  // namespace

std::span<const std::string_view> text_keys() {
  static constexpr std::array<std::string_view, 4> keys{"source", "caveats", "comment", "title"};
  return keys;
}

bool is_text_key(std::string_view key) {
  return std::find(text_keys().begin(), text_keys().end(), key) != text_keys().end();
}

void read_value(const json& json, const InputPlace& place, const FieldRules& rules, int& value) {
  constexpr std::int64_t smallest = std::numeric_limits<int>::min();
  constexpr std::int64_t largest = std::numeric_limits<int>::max();
  if (!json.is_number_integer()) refuse(json, place, "a whole number");
  const std::optional<std::int64_t> number = whole_number(json);
  if (!number || *number < smallest || *number > largest) {
    refuse(json, place, fmt::format("a whole number from {} to {}", smallest, largest));
  }
  check_bounds(static_cast<double>(*number), json, place, rules);
  value = static_cast<int>(*number);
}

void read_value(const json& json, const InputPlace& place, const FieldRules& rules,
                std::int64_t& value) {
  const std::optional<std::int64_t> number =
      json.is_number_float() ? whole_double(json) : whole_number(json);
  if (!number && json.is_number_integer()) {
    refuse(json, place, "a whole number up to 9223372036854775807");
  }
  if (!number) refuse(json, place, "a whole number");
  check_bounds(static_cast<double>(*number), json, place, rules);
  value = *number;
}

void read_value(const json& json, const InputPlace& place, const FieldRules& rules, double& value) {
  if (!json.is_number()) refuse(json, place, "a number");
  check_bounds(json.get<double>(), json, place, rules);
  value = json.get<double>();
}

void read_value(const json& json, const InputPlace& place, const FieldRules&, bool& value) {
  if (!json.is_boolean()) refuse(json, place, "true or false");
  value = json.get<bool>();
}

void read_value(const json& json, const InputPlace& place, const FieldRules&, std::string& value) {
  if (!json.is_string()) refuse(json, place, "text");
  value = json.get<std::string>();
}

void read_value(const json& json, const InputPlace& place, const FieldRules& rules, Bytes& value) {
  read_quantity(json, place, rules, value);
}

void read_value(const json& json, const InputPlace& place, const FieldRules& rules,
                Seconds& value) {
  read_quantity(json, place, rules, value);
}

void read_value(const json& json, const InputPlace& place, const FieldRules& rules,
                BytesPerSecond& value) {
  read_quantity(json, place, rules, value);
}

void read_value(const json& json, const InputPlace& place, const FieldRules& rules,
                FlopPerSecond& value) {
  read_quantity(json, place, rules, value);
}

void read_value(const json& json, const InputPlace& place, const FieldRules& rules, Flop& value) {
  read_quantity(json, place, rules, value);
}

void read_value(const json& json, const InputPlace& place, const FieldRules& rules, Watts& value) {
  read_quantity(json, place, rules, value);
}

void read_value(const json& json, const InputPlace& place, const FieldRules& rules,
                std::vector<int>& value) {
  if (!json.is_array()) refuse(json, place, "a list of whole numbers");
  std::vector<int> numbers(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    read_value(json[i], child_of(place, i), rules, numbers[i]);
  }
  value = std::move(numbers);
}

std::size_t read_word(const json& json, const InputPlace& place,
                      std::span<const std::string_view> names) {
  const std::string expected = fmt::format("one of {}", fmt::join(names, ", "));
  if (!json.is_string()) refuse(json, place, expected);
  const auto& word = json.get_ref<const std::string&>();
  const auto found = std::find(names.begin(), names.end(), word);
  if (found == names.end()) {
    refuse(json, place, expected,
           did_you_mean(word, std::vector<std::string>(names.begin(), names.end())));
  }
  return static_cast<std::size_t>(found - names.begin());
}

std::vector<std::size_t> read_words(const json& json, const InputPlace& place,
                                    std::span<const std::string_view> names) {
  if (!json.is_array()) return {read_word(json, place, names)};
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::size_t index = read_word(json[i], child_of(place, i), names);
    if (std::find(indices.begin(), indices.end(), index) != indices.end()) {
      throw InputError(child_of(place, i), fmt::format("\"{}\" is listed twice", names[index]));
    }
    indices.push_back(index);
  }
  return indices;
}

void check_text(std::string_view key, const json& json, const InputPlace& place) {
  if (json.is_string()) return;
  if (key != "caveats") refuse(json, place, "text");
  if (!json.is_array()) refuse(json, place, "text or a list of texts");
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (!json[i].is_string()) refuse(json[i], child_of(place, i), "text");
  }
}

void check_object(const json& json, const InputPlace& place) {
  if (!json.is_object()) refuse(json, place, "an object");
}

void check_list(const json& json, const InputPlace& place) {
  if (!json.is_array()) refuse(json, place, "a list");
}

}  // namespace stepcast
