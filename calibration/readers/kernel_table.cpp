#include "calibration/readers/kernel_table.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/text_file.h"
#include "calibration/readers/csv_table.h"

namespace stepcast {
namespace {

struct TimeColumn {
  std::size_t column;
  double seconds;  ///< of its unit
};

TimeColumn time_column(const CsvTable& table) {
  constexpr std::array<std::pair<std::string_view, double>, 4> names{
      {{"time_us", 1e-6}, {"latency_us", 1e-6}, {"time_ms", 1e-3}, {"time_s", 1.0}}};
  for (const auto& [name, seconds] : names) {
    if (const auto column = table.find({name})) return {*column, seconds};
  }
  throw InputError({table.file, ""}, "the table has no column with times",
                   "expected time_us, latency_us, time_ms or time_s in the first line");
}

std::int64_t whole(const CsvTable& table, const CsvRow& row, std::size_t column) {
  const double number = table.positive(row, column);
  if (number == std::floor(number) && number < 1e15) return static_cast<std::int64_t>(number);
  throw InputError(table.place(row), fmt::format("column \"{}\" holds {}, expected a whole number",
                                                 table.columns[column], row.cells[column]));
}

Precision precision_of(const CsvTable& table, const CsvRow& row,
                       std::optional<std::size_t> column) {
  if (!column) return Precision::Bf16;
  for (const Precision precision :
       {Precision::Fp32, Precision::Tf32, Precision::Fp16, Precision::Bf16, Precision::Fp8}) {
    if (row.cells[*column] == word(precision)) return precision;
  }
  throw InputError(
      table.place(row),
      fmt::format("\"{}\" is no precision: fp32, tf32, fp16, bf16 or fp8", row.cells[*column]));
}

}  // namespace

std::vector<MeasuredKernel> parse_kernel_table(std::string_view text, const std::string& file) {
  const CsvTable table = parse_csv(text, file);
  const TimeColumn time = time_column(table);
  const auto m = table.find({"m", "M"});
  const auto n = table.find({"n", "N"});
  const auto k = table.find({"k", "K"});
  const auto bytes = table.find({"bytes"});
  const auto batch = table.find({"batch"});
  const auto precision = table.find({"precision", "dtype"});
  if (!(m && n && k) && !bytes) {
    throw InputError({file, ""}, "the table has neither columns m, n and k nor a column bytes");
  }
  std::vector<MeasuredKernel> kernels;
  for (const CsvRow& row : table.rows) {
    MeasuredKernel kernel{{}, Seconds(table.positive(row, time.column) * time.seconds), row.line};
    if (m && n && k) {
      const GemmShape shape{whole(table, row, *m), whole(table, row, *n), whole(table, row, *k),
                            batch ? whole(table, row, *batch) : 1};
      kernel.kernel = MeasuredGemm{shape, precision_of(table, row, precision)};
    } else {
      kernel.kernel = MeasuredTraffic{Bytes(table.positive(row, *bytes))};
    }
    kernels.push_back(kernel);
  }
  return kernels;
}

std::vector<MeasuredKernel> read_kernel_table(const std::string& file) {
  return parse_kernel_table(read_text_file(file), file);
}

}  // namespace stepcast
