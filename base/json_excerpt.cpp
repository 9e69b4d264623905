#include "base/json_excerpt.h"

#include <fmt/format.h>

#include <cstddef>
#include <nlohmann/json.hpp>

namespace stepcast {

namespace {

using nlohmann::json;

constexpr std::size_t longest_excerpt = 60;

/// Escaped where the text holds control characters, mended where it is not UTF-8.
std::string dumped(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// The longest start of `text` that fits an excerpt and does not end inside a character.
std::string_view cut(std::string_view text) {
  if (text.size() <= longest_excerpt) return text;
  std::size_t end = longest_excerpt;
  while (end > 0 && continues_character(text[end])) --end;
  return text.substr(0, end);
}

}  // namespace

std::string excerpt(std::string_view text) {
  const std::string_view start = cut(text);
  return dumped(json(start)) + (start.size() < text.size() ? "..." : "");
}

std::string found_text(const json& value) {
  if (value.is_string()) return excerpt(value.get_ref<const std::string&>());
  if (value.is_number()) return fmt::format("the number {}", value.dump());
  if (value.is_array()) return "a list";
  if (value.is_object()) return "an object";
  return value.dump();  // true, false or null
}

}  // namespace stepcast
