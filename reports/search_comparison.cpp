#include "reports/search_comparison.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/unit_text.h"
#include "reports/comparison.h"
#include "reports/comparison_text.h"
#include "reports/numbers.h"
#include "reports/table.h"
#include "reports/text.h"

namespace stepcast {
namespace {

std::string days_cell(const StepReport& report) {
  if (!report.cost || !report.cost->training_hours) return "-";
  return rounded_text(*report.cost->training_hours / 24.0);
}

std::string usd_cell(const StepReport& report) {
  if (!report.cost || !report.cost->training_usd) return "-";
  return rounded_text(*report.cost->training_usd);
}

std::string per_token_cell(const StepReport& report) {
  return report.cost ? rounded_text(report.cost->usd_per_million_tokens) : "-";
}

std::vector<std::string> cells_of(std::size_t index, const SweepAnswer& answer) {
  const StepReport& report = answer.front.front().report;
  return {short_name(index) + "  " + report.title,
          count_text(report.gpus),
          to_text(report.step_time),
          share_text(report.mfu),
          share_text(report.oom_probability),
          days_cell(report),
          usd_cell(report),
          per_token_cell(report),
          answer.result.proven ? "yes" : "no"};
}

std::string table_of_best(std::span<const SweepAnswer> answers) {
  Table table = Table::of_numbers(8);
  table.add_row({"", "GPUs", "step time", "MFU", "risk", "days", "USD", "USD/Mtoken", "proven"});
  std::size_t index = 0;
  for (const SweepAnswer& answer : answers) {
    if (!answer.front.empty()) table.add_row(cells_of(index++, answer));
  }
  return table.text();
}

std::string layouts_section(std::span<const SweepAnswer> answers) {
  std::string text;
  std::size_t index = 0;
  for (const SweepAnswer& answer : answers) {
    const SearchRequest& request = answer.space->request();
    if (answer.front.empty()) {
      const std::string& cluster = request.variants.front().name;
      text += fmt::format(
          "  {}{}: {}\n", request.title, cluster.empty() ? "" : ", " + cluster,
          answer.result.proven ? "no layout meets what is asked" : "no layout was found so far");
      continue;
    }
    const std::size_t best = answer.result.front.members().front().layout;
    text += fmt::format("  {}: {}\n     {}; the best of {} layouts\n", short_name(index++),
                        answer.space->title(best), answer.front.front().report.bottleneck,
                        count_text(static_cast<std::int64_t>(answer.result.valid)));
  }
  return text;
}

}  // namespace

std::vector<Prediction> best_of(std::span<const SweepAnswer> answers) {
  std::vector<Prediction> best;
  for (const SweepAnswer& answer : answers) {
    if (!answer.front.empty()) best.push_back(answer.front.front());
  }
  return best;
}

std::string search_comparison_text(std::span<const SweepAnswer> answers) {
  const std::vector<Prediction> best = best_of(answers);
  std::string text = "The best layout of each\n" + table_of_best(answers) + "\n" +
                     "Layouts, and what limits them\n" + layouts_section(answers);
  if (best.size() == 1) text += "\n" + text_report(best.front());
  if (best.size() > 1) text += "\n" + comparison_text(best);
  return text;
}

nlohmann::ordered_json search_comparison_json(std::span<const SweepAnswer> answers) {
  const std::vector<Prediction> best = best_of(answers);
  nlohmann::ordered_json json =
      best.size() > 1 ? comparison_json(best) : nlohmann::ordered_json{{"schema", 1}};
  json["searches"] = nlohmann::ordered_json::array();
  for (const SweepAnswer& answer : answers) json["searches"].push_back(sweep_json(answer, false));
  return json;
}

}  // namespace stepcast
