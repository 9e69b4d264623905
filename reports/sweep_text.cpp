#include <fmt/format.h>

#include <algorithm>

#include "base/unit_text.h"
#include "reports/numbers.h"
#include "reports/sweep.h"
#include "reports/table.h"
#include "reports/text.h"

namespace stepcast {
namespace {

constexpr std::size_t shown_rows = 10;

std::string objective_text(Objective objective) {
  switch (objective) {
    case Objective::StepTime:
      return "step time";
    case Objective::CostPerToken:
      return "cost per token";
    case Objective::TrainingCost:
      return "cost of the training";
    case Objective::MemoryHeadroom:
      return "memory headroom";
  }
  return "";
}

std::string constraints_text(const SearchGoal& goal) {
  std::string text =
      fmt::format("fits with a probability of {} or more", share_text(goal.fit_probability));
  if (goal.deadline) {
    text += fmt::format(", trained in {} or less", hours_text(goal.deadline->value() / 3600.0));
  }
  if (goal.max_nodes) text += fmt::format(", {} nodes or fewer", *goal.max_nodes);
  if (goal.max_training_usd) text += ", for " + usd_text(*goal.max_training_usd) + " or less";
  return text;
}

std::string counts_section(const SweepResult& result) {
  Table table = Table::of_numbers(1);
  const auto count = [&](const char* what, std::size_t layouts) {
    table.add_row({what, count_text(static_cast<std::int64_t>(layouts))});
  };
  count("valid layouts", result.valid);
  count("  not allowed: lower bounds of memory, time or cost are too high", result.not_allowed);
  count("  bounded: a lower bound shows that they cannot be best", result.bounded);
  count("  predicted by the analytic engine, which is exact for them", result.certified);
  count("  predicted by the event engine", result.simulated);
  if (result.failed > 0) count("  failed", result.failed);
  return table.text();
}

std::string cost_cell(const LayoutRow& row) {
  return row.cost ? rounded_text(row.cost->usd_per_million_tokens) : "-";
}

std::vector<std::string> cells_of(const LayoutSpace& space, const LayoutRow& row) {
  if (!row.error.empty()) return {space.title(row.layout), row.error};
  return {space.title(row.layout),     to_text(row.figures.step_time),          share_text(row.mfu),
          to_text(row.figures.memory), share_text(row.figures.oom_probability), cost_cell(row)};
}

std::string table_of(const LayoutSpace& space, const std::vector<LayoutRow>& rows) {
  Table table({Align::Left, Align::Right, Align::Right, Align::Right, Align::Right, Align::Right});
  table.add_row({"", "step time", "MFU", "memory", "risk", "USD/Mtoken"});
  for (const LayoutRow& row : rows) table.add_row(cells_of(space, row));
  return table.text();
}

std::string rows_section(const SweepAnswer& answer, bool all) {
  std::vector<LayoutRow> rows = ranked_rows(*answer.space, answer.result.rows);
  if (rows.empty()) return "";
  const std::size_t predicted = rows.size();
  if (!all && rows.size() > shown_rows) rows.resize(shown_rows);
  const std::string which =
      rows.size() == predicted
          ? fmt::format("The {} layouts that were predicted", count_text(std::ssize(rows)))
          : fmt::format("The first {} of {} layouts that were predicted", rows.size(), predicted);
  return fmt::format("{}, best first\n{}\n", which, table_of(*answer.space, rows));
}

std::string pareto_section(const SweepAnswer& answer) {
  const SearchGoal& goal = answer.space->request().keys.goal;
  if (!goal.pareto_with) return "";
  std::vector<LayoutRow> front;
  for (const Front::Member& member : answer.result.front.members()) {
    const auto row = std::find_if(answer.result.rows.begin(), answer.result.rows.end(),
                                  [&](const LayoutRow& r) { return r.layout == member.layout; });
    front.push_back(*row);
  }
  return fmt::format("Pareto front of {} and {}: no layout is better in both\n{}\n",
                     objective_text(goal.objective), objective_text(*goal.pareto_with),
                     table_of(*answer.space, front));
}

std::string best_section(const SweepAnswer& answer) {
  if (answer.front.empty()) {
    return answer.result.proven ? "No layout meets what is asked.\n"
                                : "No layout that meets what is asked was found so far.\n";
  }
  return "The best layout in full\n\n" + text_report(answer.front.front());
}

}  // namespace

std::string proof_sentence(const SweepResult& result) {
  if (result.proven) return "Proven: every other layout was predicted or cannot be better.";
  if (result.failed > 0 && !result.gap) {
    return fmt::format("Not proven: {} layouts failed, their rows say why.", result.failed);
  }
  if (!result.gap) return "Not proven: the sweep was stopped before it had a layout to compare.";
  return fmt::format("Not proven: the sweep was stopped; a layout better by {} may be left.",
                     share_text(*result.gap));
}

std::vector<std::string> variant_notes(const LayoutSpace& space) {
  std::vector<char> used(static_cast<std::size_t>(space.num_variants()), 0);
  for (std::size_t i = 0; i < space.size(); ++i) {
    used[static_cast<std::size_t>(space.variant_of(i))] = 1;
  }
  std::vector<std::string> notes;
  for (std::size_t v = 0; v < used.size(); ++v) {
    const SearchVariant& variant = space.request().variants[v];
    const std::string name = variant.name.empty() ? "this cluster" : variant.name;
    if (!variant.scenario) notes.push_back(fmt::format("{}: {}", name, variant.error));
    if (variant.scenario && !used[v]) notes.push_back(name + ": no valid layout");
  }
  return notes;
}

std::string sweep_text(const SweepAnswer& answer, bool rows) {
  const SearchGoal& goal = answer.space->request().keys.goal;
  std::string text = fmt::format("{}\nBest by {}; {}\n\n", answer.space->request().title,
                                 objective_text(goal.objective), constraints_text(goal));
  if (!answer.result.front.members().empty()) {
    text += "  " + answer.space->title(answer.result.front.members().front().layout) + "\n\n";
  }
  text += proof_sentence(answer.result) + "\n" + counts_section(answer.result);
  for (const std::string& note : variant_notes(*answer.space)) text += "  " + note + "\n";
  text += "\n" + pareto_section(answer) + rows_section(answer, rows) + best_section(answer);
  return text;
}

}  // namespace stepcast
