#include "reports/comparison_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <vector>

#include "base/unit_text.h"
#include "reports/comparison.h"
#include "reports/memory_text.h"
#include "reports/numbers.h"
#include "reports/scenario_text.h"
#include "reports/table.h"
#include "reports/text.h"

namespace stepcast {
namespace {

using Predictions = std::span<const Prediction>;

std::string legend(Predictions predictions) {
  std::string text;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    text += fmt::format("{}  {}\n", short_name(i), predictions[i].report.title);
    for (const std::string& line : scenario_lines(predictions[i].scenario)) {
      text += "   " + line + "\n";
    }
  }
  return text;
}

// A column for each prediction.
class SideBySide {
 public:
  explicit SideBySide(Predictions predictions)
      : predictions_(predictions), table_(Table::of_numbers(predictions.size())) {
    std::vector<std::string> names{""};
    for (std::size_t i = 0; i < predictions.size(); ++i) names.push_back(short_name(i));
    table_.add_row(names);
  }

  void row(const std::string& label, const std::function<std::string(const StepReport&)>& cell) {
    std::vector<std::string> cells{label};
    for (const Prediction& prediction : predictions_) cells.push_back(cell(prediction.report));
    table_.add_row(cells);
  }

  std::string text() const { return table_.text(); }

 private:
  Predictions predictions_;
  Table table_;
};

void add_time_rows(SideBySide& rows) {
  rows.row("GPUs", [](const auto& r) { return count_text(r.gpus); });
  rows.row("step time", [](const auto& r) { return to_text(r.step_time); });
  rows.row("  5 % quantile", [](const auto& r) { return to_text(r.step_time_low); });
  rows.row("  95 % quantile", [](const auto& r) { return to_text(r.step_time_high); });
  rows.row("tokens/s", [](const auto& r) { return rounded_text(r.tokens_per_s); });
  rows.row("tokens/s a GPU", [](const auto& r) { return rounded_text(r.tokens_per_s_per_gpu); });
  rows.row("model FLOP rate a GPU",
           [](const auto& r) { return to_text(r.model_flop_rate_per_gpu); });
  rows.row("MFU", [](const auto& r) { return share_text(r.mfu); });
  rows.row("HFU", [](const auto& r) { return share_text(r.hfu); });
}

void add_memory_rows(SideBySide& rows) {
  rows.row("memory", [](const auto& r) { return to_text(r.memory_peak()); });
  rows.row("  capacity", [](const auto& r) { return to_text(r.memory.capacity); });
  rows.row("  fits", [](const auto& r) { return r.fits ? "yes" : "no"; });
  rows.row("  risk of running out", [](const auto& r) { return share_text(r.oom_probability); });
}

using CostText = std::function<std::string(const CostReport&)>;

void add_cost_row(SideBySide& rows, const std::string& label, const CostText& text) {
  rows.row(label, [&](const StepReport& report) { return report.cost ? text(*report.cost) : "-"; });
}

std::string or_dash(const std::optional<double>& number) {
  return number ? rounded_text(*number) : "-";
}

void add_cost_rows(SideBySide& rows) {
  add_cost_row(rows, "USD an hour", [](const auto& c) { return rounded_text(c.usd_per_hour); });
  add_cost_row(rows, "USD per million tokens",
               [](const auto& c) { return rounded_text(c.usd_per_million_tokens); });
  add_cost_row(rows, "whole training, days", [](const auto& c) {
    return c.training_hours ? rounded_text(*c.training_hours / 24.0) : "-";
  });
  add_cost_row(rows, "  USD", [](const auto& c) { return or_dash(c.training_usd); });
  add_cost_row(rows, "  kWh", [](const auto& c) { return or_dash(c.energy_kwh); });
}

std::string figures_section(Predictions predictions) {
  SideBySide rows(predictions);
  add_time_rows(rows);
  add_memory_rows(rows);
  add_cost_rows(rows);
  return rows.text();
}

// What rounding leaves of a figure that did not move is no change.
double visible_change(const Move& move) {
  constexpr double rounding = 1e-6;
  const double size = std::max(std::abs(move.from), std::abs(move.to));
  return std::abs(move.change()) < rounding * size ? 0.0 : move.change();
}

std::vector<std::string> part_row(const std::string& label, const Move& seconds, double share,
                                  const Move& per_tokens) {
  return {label,
          to_text(Seconds(seconds.from)),
          to_text(Seconds(seconds.to)),
          signed_text(Seconds(visible_change(seconds))),
          std::isfinite(share) ? share_text(share) : "-",
          rounded_text(per_tokens.from),
          rounded_text(per_tokens.to),
          signed_text(visible_change(per_tokens))};
}

std::string moved_section(const Moved& moved, const std::string& name) {
  Table table = Table::of_numbers(7);
  table.add_row({"", "A", name, "change", "of change", "A", name, "change"});
  for (std::size_t part = 0; part < kNumActivities; ++part) {
    const PartMove& move = moved.parts[part];
    if (move.seconds.from == 0.0 && move.seconds.to == 0.0) continue;
    table.add_row(part_row(activity_text(static_cast<Activity>(part)), move.seconds, move.share,
                           move.gpu_seconds_per_million_tokens));
  }
  table.add_row(part_row("step", moved.step_seconds, 1.0, moved.gpu_seconds_per_million_tokens));
  return fmt::format(
      "What moved from A to {}: time in a step, and GPU seconds per million tokens\n{}", name,
      table.text());
}

std::string memory_section(Predictions predictions) {
  std::string text = "Memory of a GPU at its peak by pipeline stage, in GiB\n";
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    text += fmt::format("{}\n{}", short_name(i), memory_parts_table(predictions[i].report.memory));
  }
  return text;
}

std::string bottleneck_section(Predictions predictions) {
  std::string text = "What limits each\n";
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    text += fmt::format("  {}: {}.\n", short_name(i), predictions[i].report.bottleneck);
  }
  return text;
}

std::string engine_section(Predictions predictions) {
  std::string text;
  std::vector<std::string> notes;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const EngineReport& engine = predictions[i].report.engine;
    text += fmt::format("{}: {}\n", short_name(i), engine_text(engine));
    const std::string note = engine_note(engine);
    if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
  }
  for (const std::string& note : notes) text += note + "\n";
  return text;
}

}  // namespace

std::string comparison_text(Predictions predictions) {
  const std::vector<Moved> all = what_moved(predictions);
  std::string text = legend(predictions) + "\n" + figures_section(predictions) + "\n";
  for (std::size_t i = 0; i < all.size(); ++i) {
    text += moved_section(all[i], short_name(i + 1)) + "\n";
  }
  text += memory_section(predictions) + "\n" + bottleneck_section(predictions) + "\n" +
          engine_section(predictions) + "\n";
  for (const Moved& moved : all) text += moved.answer + "\n";
  return text;
}

}  // namespace stepcast
