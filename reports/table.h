// Columns of text under each other, for reports that people read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stepcast {

enum class Align { Left, Right };

/// Each column is as wide as its widest cell, with two spaces between columns.
class Table {
 public:
  explicit Table(std::vector<Align> columns);
  /// The first column to the left, `numbers` columns to the right.
  static Table of_numbers(std::size_t numbers);

  /// Missing cells at the end are empty. Requires at most as many cells as columns.
  void add_row(std::vector<std::string> cells);

  /// Every row as a line that starts with two spaces and ends without any.
  std::string text() const;

 private:
  std::vector<std::size_t> widths() const;

  std::vector<Align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Columns that a terminal needs for the text: its characters, not its bytes.
std::size_t display_width(std::string_view text);

/// Words as lines of at most `width` characters (a longer word has a line of its own), without a
/// line's end after the last.
std::string wrapped(std::string_view words, std::size_t width);

}  // namespace stepcast
