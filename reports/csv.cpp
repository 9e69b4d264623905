#include "reports/csv.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/contract.h"

namespace stepcast {
namespace {

using Row = std::vector<std::pair<std::string, std::string>>;  // column, cell

std::string number_or_empty(const std::optional<double>& number) {
  return number ? csv_number(*number) : "";
}

void add_step(Row& row, const StepReport& report) {
  row.emplace_back("title", report.title);
  row.emplace_back("gpus", std::to_string(report.gpus));
  row.emplace_back("step_time_s", csv_number(report.step_time.value()));
  row.emplace_back("step_time_low_s", csv_number(report.step_time_low.value()));
  row.emplace_back("step_time_high_s", csv_number(report.step_time_high.value()));
  row.emplace_back("tokens_per_s", csv_number(report.tokens_per_s));
  row.emplace_back("tokens_per_s_per_gpu", csv_number(report.tokens_per_s_per_gpu));
  row.emplace_back("model_flop_rate_per_gpu", csv_number(report.model_flop_rate_per_gpu.value()));
  row.emplace_back("mfu", csv_number(report.mfu));
  row.emplace_back("hfu", csv_number(report.hfu));
}

void add_breakdown(Row& row, const StepReport& report) {
  for (std::size_t a = 0; a < kNumActivities; ++a) {
    row.emplace_back(fmt::format("{}_s", word(static_cast<Activity>(a))),
                     csv_number(report.breakdown[a].value()));
  }
}

void add_memory(Row& row, const StepReport& report) {
  row.emplace_back("capacity_bytes", csv_number(report.memory.capacity.value()));
  row.emplace_back("peak_bytes", csv_number(report.memory.peak().device.value()));
  row.emplace_back("peak_allocated_bytes", csv_number(report.memory.peak().allocated.value()));
  row.emplace_back("peak_rank", std::to_string(report.memory.peak_rank));
  row.emplace_back("peak_reserved_bytes", csv_number(report.memory.peak().reserved.value()));
  row.emplace_back("peak_low_bytes", csv_number(report.memory.low.value()));
  row.emplace_back("peak_high_bytes", csv_number(report.memory.high.value()));
  row.emplace_back("peak_at_s", csv_number(report.memory.peak().peak_at.value()));
  row.emplace_back("host_peak_bytes", csv_number(report.memory.host_peak.value()));
  for (std::size_t p = 0; p < kNumMemoryParts; ++p) {
    row.emplace_back(fmt::format("{}_bytes", word(static_cast<MemoryPart>(p))),
                     csv_number(report.memory.peak().parts[p].value()));
  }
  row.emplace_back("fits", report.fits ? "true" : "false");
  row.emplace_back("oom_probability", csv_number(report.oom_probability));
}

void add_cost(Row& row, const std::optional<CostReport>& cost) {
  const auto cell = [&](double CostReport::*figure) {
    return cost ? csv_number((*cost).*figure) : "";
  };
  const auto optional_cell = [&](std::optional<double> CostReport::*figure) {
    return cost ? number_or_empty((*cost).*figure) : "";
  };
  row.emplace_back("usd_per_hour", cell(&CostReport::usd_per_hour));
  row.emplace_back("usd_per_million_tokens", cell(&CostReport::usd_per_million_tokens));
  row.emplace_back("training_hours", optional_cell(&CostReport::training_hours));
  row.emplace_back("training_usd", optional_cell(&CostReport::training_usd));
  row.emplace_back("energy_kwh", optional_cell(&CostReport::energy_kwh));
}

Row row_of(const StepReport& report) {
  Row row;
  add_step(row, report);
  add_breakdown(row, report);
  add_memory(row, report);
  add_cost(row, report.cost);
  row.emplace_back("engine", report.engine.name);
  return row;
}

std::string quoted(const std::string& cell) {
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string text = "\"";
  for (const char c : cell) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

}  // namespace

std::string csv_line(const std::vector<std::string>& cells) {
  STEPCAST_REQUIRES(!cells.empty());
  std::string line;
  for (const std::string& cell : cells) line += quoted(cell) + ",";
  line.back() = '\n';
  return line;
}

std::string csv_number(double number) { return fmt::format("{}", number); }

std::string results_csv(std::span<const Prediction> predictions) {
  std::string text;
  for (const Prediction& prediction : predictions) {
    std::vector<std::string> header, cells;
    for (const auto& [column, cell] : row_of(prediction.report)) {
      header.push_back(column);
      cells.push_back(cell);
    }
    if (text.empty()) text = csv_line(header);
    text += csv_line(cells);
  }
  return text;
}

}  // namespace stepcast
