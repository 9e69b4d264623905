#include "base/input_error.h"

#include <fmt/format.h>

#include <utility>

namespace stepcast {

namespace {

std::string message(const InputPlace& place, const std::string& problem, const std::string& hint,
                    const std::vector<std::string>& details) {
  std::string text = place.file.empty() ? "" : place.file + ": ";
  text += fmt::format("at {}: {}", place.pointer.empty() ? "/" : place.pointer, problem);
  for (const std::string& detail : details) text += "\n  " + detail;
  if (!hint.empty()) text += "\n  hint: " + hint;
  return text;
}

std::string escaped(std::string_view key) {
  std::string text;
  for (const char c : key) {
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

InputPlace child_of(const InputPlace& parent, std::string_view key) {
  return {parent.file, fmt::format("{}/{}", parent.pointer, escaped(key))};
}

InputPlace child_of(const InputPlace& parent, std::size_t index) {
  return {parent.file, fmt::format("{}/{}", parent.pointer, index)};
}

InputError::InputError(InputPlace place, std::string problem, std::string hint,
                       std::vector<std::string> details)
    : std::runtime_error(message(place, problem, hint, details)),
      place_(std::move(place)),
      problem_(std::move(problem)),
      hint_(std::move(hint)),
      details_(std::move(details)) {}

}  // namespace stepcast
