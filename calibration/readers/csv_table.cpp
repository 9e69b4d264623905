#include "calibration/readers/csv_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text_lines.h"

namespace stepcast {
namespace {

std::string_view bare(std::string_view cell) {
  cell = without_blanks_around(cell);
  if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') {
    cell = cell.substr(1, cell.size() - 2);
  }
  return cell;
}

std::vector<std::string_view> cells_of(std::string_view line) {
  std::vector<std::string_view> cells;
  while (true) {
    const std::size_t comma = line.find(',');
    cells.push_back(bare(line.substr(0, comma)));
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

}  // namespace

InputPlace CsvTable::place(const CsvRow& row) const {
  return line_place(file, static_cast<std::size_t>(row.line - 1));
}

std::optional<std::size_t> CsvTable::find(const std::vector<std::string_view>& names) const {
  for (const std::string_view name : names) {
    const auto found = std::find(columns.begin(), columns.end(), name);
    if (found != columns.end()) return static_cast<std::size_t>(found - columns.begin());
  }
  return std::nullopt;
}

double CsvTable::positive(const CsvRow& row, std::size_t column) const {
  const std::string_view cell = row.cells[column];
  const std::optional<double> number = finite_number(cell.substr(0, cell.find(' ')));
  if (number && *number > 0) return *number;
  throw InputError(place(row), fmt::format("column \"{}\" holds \"{}\", expected a number above 0",
                                           columns[column], cell));
}

CsvTable parse_csv(std::string_view text, const std::string& file) {
  CsvTable table{file, {}, {}};
  const std::vector<std::string_view> lines = text_lines(text, file);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = without_blanks_around(lines[i]);
    if (line.empty() || line.starts_with('#')) continue;
    if (table.columns.empty()) {
      table.columns = cells_of(line);
      continue;
    }
    CsvRow row{cells_of(line), static_cast<int>(i) + 1};
    if (row.cells.size() != table.columns.size()) {
      throw InputError(line_place(file, i),
                       fmt::format("the row has {} cells, the header {}", row.cells.size(),
                                   table.columns.size()),
                       "the file seems to be cut off");
    }
    table.rows.push_back(std::move(row));
  }
  if (table.rows.empty()) throw InputError({file, ""}, "the table has no rows");
  return table;
}

}  // namespace stepcast
