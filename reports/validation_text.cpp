#include <fmt/format.h>

#include "base/unit_text.h"
#include "reports/numbers.h"
#include "reports/table.h"
#include "reports/validation.h"

namespace stepcast {
namespace {

constexpr std::size_t num_worst_runs = 3;

std::string share_or_dash(const std::optional<double>& share) {
  return share ? share_text(*share) : "-";
}

std::vector<std::string> figures_row(const std::string& title,
                                     std::span<const ValidationRun> runs) {
  const ValidationFigures figures = validation_figures(runs);
  return {title,
          count_text(figures.runs),
          share_or_dash(figures.step_time_mape),
          share_or_dash(figures.step_time_median_error),
          figures.step_time_bias ? signed_share_text(*figures.step_time_bias) : "-",
          share_or_dash(figures.interval_coverage_90),
          share_or_dash(figures.median_interval_width),
          share_or_dash(figures.peak_memory_mape)};
}

std::string figures_section(std::span<const ValidationSuite> suites) {
  Table table = Table::of_numbers(7);
  table.add_row({"", "runs", "MAPE", "median", "bias", "in 90 %", "its width", "memory MAPE"});
  const auto add = [&](const std::string& title, std::span<const ValidationRun> runs) {
    table.add_row(figures_row(title, runs));
    const std::vector<ValidationRun> rest = unstalled_runs(runs);
    if (rest.size() == runs.size()) return;
    const auto stalled = static_cast<int>(runs.size() - rest.size());
    table.add_row(figures_row(fmt::format("  without {} stalled", count_text(stalled)), rest));
  };
  for (const ValidationSuite& suite : suites) add(suite.title, suite.runs);
  if (suites.size() > 1) add("all", all_runs(suites));
  return "Errors of the step time, predicted / measured - 1, and of the peak memory\n" +
         table.text();
}

std::string worst_section(std::span<const ValidationSuite> suites) {
  Table table({Align::Left, Align::Right, Align::Right, Align::Right});
  table.add_row({"", "predicted", "measured", "error"});
  for (const ValidationSuite& suite : suites) {
    if (suites.size() > 1) table.add_row({suite.title});
    for (const ValidationRun& run : worst_runs(suite, num_worst_runs)) {
      if (!run.step_time) continue;
      table.add_row(
          {(suites.size() > 1 ? "  " : "") + run.title, to_text(Seconds(run.step_time->predicted)),
           to_text(Seconds(run.step_time->measured)), signed_share_text(run.step_time->error())});
    }
  }
  return "Furthest off\n" + table.text();
}

std::vector<std::string> oom_row(const std::string& title, const OomCounts& oom) {
  const int ran_out = oom.true_positive + oom.false_negative;
  const int fitted = oom.true_negative + oom.false_positive;
  return {title, fmt::format("{} of {}", count_text(oom.true_positive), count_text(ran_out)),
          fmt::format("{} of {}", count_text(oom.false_positive), count_text(fitted))};
}

std::string oom_section(const ValidationFigures& figures) {
  Table table = Table::of_numbers(2);
  table.add_row({"", "failures foreseen", "false alarms"});
  table.add_row(oom_row("stated by the source", figures.oom));
  table.add_row(oom_row("inferred", figures.oom_inferred));
  return "Running out of memory\n" + table.text();
}

// Runs that stood still (calibration/stalled_runs.h), by name.
std::string stalled_section(std::span<const ValidationSuite> suites) {
  std::string text;
  for (const ValidationSuite& suite : suites) {
    for (const ValidationRun& run : suite.runs) {
      if (run.stalled) text += fmt::format("  {}\n", run.title);
    }
  }
  return text.empty() ? text : "\nStalled beside their siblings\n" + text;
}

// Bins without runs are left out.
std::string reliability_section(std::span<const ValidationRun> runs) {
  Table table = Table::of_numbers(5);
  table.add_row({"predicted risk", "mean", "ran", "failed", "inferred failures", "share that ran"});
  for (const ReliabilityBin& bin : oom_reliability(runs)) {
    if (bin.ran + bin.failed + bin.failed_inferred == 0) continue;
    const std::optional<double> share = bin.share_that_ran();
    table.add_row({fmt::format("{:.0f} to {:.0f} %", 100 * bin.from, 100 * bin.to),
                   share_text(bin.mean_probability), count_text(bin.ran), count_text(bin.failed),
                   count_text(bin.failed_inferred), share ? share_text(*share) : ""});
  }
  return "Predicted risk of running out, and what came of it\n" + table.text();
}

std::string errors_section(std::span<const ValidationSuite> suites) {
  std::string text;
  for (const ValidationSuite& suite : suites) {
    for (const ValidationError& error : suite.errors) {
      text += fmt::format("  {}: {}\n", error.title, error.message);
    }
  }
  return text.empty() ? text : "\nWithout an answer\n" + text;
}

}  // namespace

std::string validation_text(std::span<const ValidationSuite> suites) {
  const ValidationFigures figures = validation_figures(all_runs(suites));
  std::string text = figures_section(suites);
  if (figures.timed_runs > 0) text += "\n" + worst_section(suites);
  return text + "\n" + oom_section(figures) + "\n" + reliability_section(all_runs(suites)) +
         stalled_section(suites) + errors_section(suites);
}

}  // namespace stepcast
