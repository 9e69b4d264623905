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

// The value that a cell's word names.
template <class Value, std::size_t Count>
Value named(const CsvTable& table, const CsvRow& row, std::optional<std::size_t> column,
            const std::array<std::pair<std::string_view, Value>, Count>& words, Value unless_said) {
  if (!column) return unless_said;
  const std::string_view cell = row.cells[*column];
  std::string known;
  for (const auto& [word, value] : words) {
    if (cell == word) return value;
    known += (known.empty() ? "" : ", ") + std::string(word);
  }
  throw InputError(table.place(row), fmt::format("column \"{}\" holds \"{}\", expected one of {}",
                                                 table.columns[*column], cell, known));
}

constexpr std::array<std::pair<std::string_view, Precision>, 5> precisions{
    {{"fp32", Precision::Fp32},
     {"tf32", Precision::Tf32},
     {"fp16", Precision::Fp16},
     {"bf16", Precision::Bf16},
     {"fp8", Precision::Fp8}}};
constexpr std::array<std::pair<std::string_view, GemmPass>, 3> gemm_passes{
    {{"forward", GemmPass::Forward},
     {"input_gradient", GemmPass::InputGradient},
     {"weight_gradient", GemmPass::WeightGradient}}};
constexpr std::array<std::pair<std::string_view, AttentionKernel>, 3> attention_kernels{
    {{"flash1", AttentionKernel::Flash1},
     {"flash2", AttentionKernel::Flash2},
     {"flash3", AttentionKernel::Flash3}}};
constexpr std::array<std::pair<std::string_view, AttentionPass>, 3> attention_passes{
    {{"forward", AttentionPass::Forward},
     {"backward", AttentionPass::Backward},
     {"both", AttentionPass::Both}}};
constexpr std::array<std::pair<std::string_view, bool>, 2> yes_or_no{{{"0", false}, {"1", true}}};

// The columns of one kind of kernel, found once.
class Columns {
 public:
  explicit Columns(const CsvTable& table) : table_(table) {
    if (table.find({"attention"})) {
      for (const char* name : {"micro_batch", "heads", "head_size", "sequence_length"}) {
        if (!table.find({name})) lacks(name, "of attention");
      }
    } else if (!(table.find({"m", "M"}) && table.find({"n", "N"}) && table.find({"k", "K"})) &&
               !table.find({"bytes"})) {
      throw InputError({table.file, ""},
                       "the table has neither columns m, n and k nor a column bytes",
                       "or columns attention, micro_batch, heads, head_size and sequence_length");
    }
  }

  MeasuredKernel kernel(const CsvRow& row) const {
    if (table_.find({"attention"})) return {attention(row), {}, row.line};
    if (table_.find({"m", "M"})) return {gemm(row), {}, row.line};
    return {MeasuredTraffic{Bytes(table_.positive(row, *table_.find({"bytes"})))}, {}, row.line};
  }

 private:
  [[noreturn]] void lacks(const std::string& name, const std::string& of) const {
    throw InputError({table_.file, ""}, fmt::format("the table {} has no column {}", of, name));
  }

  std::int64_t number(const CsvRow& row, const std::vector<std::string_view>& names,
                      std::int64_t unless_said = 1) const {
    const auto column = table_.find(names);
    return column ? whole(table_, row, *column) : unless_said;
  }

  MeasuredGemm gemm(const CsvRow& row) const {
    return {{number(row, {"m", "M"}), number(row, {"n", "N"}), number(row, {"k", "K"}),
             number(row, {"batch"})},
            named(table_, row, table_.find({"precision", "dtype"}), precisions, Precision::Bf16),
            named(table_, row, table_.find({"pass"}), gemm_passes, GemmPass::Forward)};
  }

  MeasuredAttention attention(const CsvRow& row) const {
    AttentionShape shape;
    shape.micro_batch = number(row, {"micro_batch"});
    shape.heads = number(row, {"heads"});
    shape.groups = number(row, {"groups"}, shape.heads);
    shape.head_size = number(row, {"head_size"});
    shape.queries = shape.keys = number(row, {"sequence_length"});
    shape.causal = named(table_, row, table_.find({"causal"}), yes_or_no, true);
    return {
        shape,
        named(table_, row, table_.find({"attention"}), attention_kernels, AttentionKernel::Flash2),
        named(table_, row, table_.find({"pass"}), attention_passes, AttentionPass::Forward)};
  }

  const CsvTable& table_;
};

}  // namespace

std::vector<MeasuredKernel> parse_kernel_table(std::string_view text, const std::string& file) {
  const CsvTable table = parse_csv(text, file);
  const TimeColumn time = time_column(table);
  const Columns columns(table);
  std::vector<MeasuredKernel> kernels;
  for (const CsvRow& row : table.rows) {
    kernels.push_back(columns.kernel(row));
    kernels.back().time = Seconds(table.positive(row, time.column) * time.seconds);
  }
  return kernels;
}

std::vector<MeasuredKernel> read_kernel_table(const std::string& file) {
  return parse_kernel_table(read_text_file(file), file);
}

}  // namespace stepcast
