#include "base/text_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace stepcast {
namespace {

constexpr std::string_view blanks = " \t\v\f\r";

// Tabs, line ends and the escape of terminal colours are text; the other control characters are
// not.
bool is_text(char c) {
  constexpr std::string_view control = "\t\n\v\f\r\x1b";
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20U || control.find(c) != std::string_view::npos;
}

template <class Number>
std::optional<Number> number(std::string_view word) {
  Number value{};
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

std::vector<std::string_view> text_lines(std::string_view text, const std::string& file) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    throw InputError({file, ""}, "the file is empty");
  }
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (!std::all_of(line.begin(), line.end(), is_text)) {
      throw InputError(line_place(file, lines.size()), "this is no text",
                       "a compressed file is to be unpacked first");
    }
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t begin = line.find_first_not_of(blanks);
  while (begin != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(blanks, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(blanks, end);
  }
  return words;
}

std::string_view without_blanks_around(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

InputPlace line_place(const std::string& file, std::size_t line) {
  return {file, fmt::format("line {}", line + 1)};
}

std::optional<std::int64_t> whole_number(std::string_view word) {
  return number<std::int64_t>(word);
}

std::optional<double> finite_number(std::string_view word) {
  const std::optional<double> value = number<double>(word);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

}  // namespace stepcast
