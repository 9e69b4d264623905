#include "reports/table.h"

#include <algorithm>
#include <sstream>

#include "base/contract.h"

namespace stepcast {
namespace {

std::string aligned(const std::string& cell, std::size_t width, Align align) {
  const std::string padding(width - display_width(cell), ' ');
  return align == Align::Left ? cell + padding : padding + cell;
}

}  // namespace

Table::Table(std::vector<Align> columns) : columns_(std::move(columns)) {}

Table Table::of_numbers(std::size_t numbers) {
  std::vector<Align> columns(numbers + 1, Align::Right);
  columns.front() = Align::Left;
  return Table(std::move(columns));
}

void Table::add_row(std::vector<std::string> cells) {
  STEPCAST_REQUIRES(cells.size() <= columns_.size());
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      widths[c] = std::max(widths[c], display_width(row[c]));
    }
  }
  return widths;
}

std::string Table::text() const {
  const std::vector<std::size_t> width = widths();
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      line += "  " + aligned(row[c], width[c], columns_[c]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::size_t display_width(std::string_view text) {
  constexpr auto starts_character = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::string wrapped(std::string_view words, std::size_t width) {
  std::istringstream rest{std::string(words)};
  std::string text;
  std::size_t used = 0;
  for (std::string word; rest >> word; used += display_width(word)) {
    const bool fits = used + 1 + display_width(word) <= width;
    if (!text.empty()) text += fits ? ' ' : '\n';
    used = text.empty() || !fits ? 0 : used + 1;
    text += word;
  }
  return text;
}

}  // namespace stepcast
