// A table of comma-separated values with a header, as tools print it. Private to readers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/input_error.h"

namespace stepcast {

struct CsvRow {
  std::vector<std::string_view> cells;  ///< without blanks and quotes around them
  int line = 0;                         ///< of the file, from 1
};

/// Points into the text it was read from. Lines that begin with '#' and empty ones are left out.
struct CsvTable {
  std::string file;
  std::vector<std::string_view> columns;
  std::vector<CsvRow> rows;

  InputPlace place(const CsvRow& row) const;
  /// The first column of one of these names; empty: there is none.
  std::optional<std::size_t> find(const std::vector<std::string_view>& names) const;
  /// A cell's number above 0. Throws InputError where it holds none.
  double positive(const CsvRow& row, std::size_t column) const;
};

/// Throws InputError where there is no row, or one with more or fewer cells than the header.
CsvTable parse_csv(std::string_view text, const std::string& file);

}  // namespace stepcast
