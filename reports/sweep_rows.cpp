// Rows of a sweep: one for each layout that was predicted.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "reports/csv.h"
#include "reports/sweep.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

const std::string& cluster_of(const LayoutSpace& space, std::size_t layout) {
  return space.request().variants[static_cast<std::size_t>(space.variant_of(layout))].name;
}

bool allowed(const LayoutSpace& space, const LayoutRow& row) {
  return row.error.empty() &&
         is_allowed(space.request().keys.goal, space.base(space.variant_of(row.layout)),
                    space.batch(row.layout), row.figures);
}

// The figures of a row by name, null where there are none: columns and keys alike.
Json figures_of(const LayoutSpace& space, const LayoutRow& row) {
  const bool good = row.error.empty();
  const auto number = [](const std::optional<double>& value) {
    return value ? Json(*value) : Json();
  };
  const auto figure = [&](double value) { return good ? Json(value) : Json(); };
  const auto cost = [&](double CostReport::*member) {
    return good && row.cost ? Json((*row.cost).*member) : Json();
  };
  const auto optional_cost = [&](std::optional<double> CostReport::*member) {
    return good && row.cost ? number((*row.cost).*member) : Json();
  };
  return {{"step_time_s", figure(row.figures.step_time.value())},
          {"tokens_per_s", figure(row.tokens_per_s)},
          {"mfu", figure(row.mfu)},
          {"bubble_fraction", figure(row.bubble_fraction)},
          {"peak_bytes", figure(row.figures.memory.value())},
          {"oom_probability", figure(row.figures.oom_probability)},
          {"usd_per_million_tokens", cost(&CostReport::usd_per_million_tokens)},
          {"training_hours", optional_cost(&CostReport::training_hours)},
          {"training_usd", optional_cost(&CostReport::training_usd)},
          {"allowed", allowed(space, row)},
          {"engine", good ? Json(row.engine) : Json()},
          {"certified", good ? Json(row.certified) : Json()},
          {"bottleneck", good ? Json(row.bottleneck) : Json()},
          {"error", good ? Json() : Json(row.error)}};
}

std::string cell(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return csv_number(value.get<double>());
  return value.dump();
}

// A variant that could not be read is a row too: nothing but its error.
std::vector<std::pair<std::string, std::string>> unread_variants(const LayoutSpace& space) {
  std::vector<std::pair<std::string, std::string>> unread;
  for (const SearchVariant& variant : space.request().variants) {
    if (!variant.scenario) unread.emplace_back(variant.name, variant.error);
  }
  return unread;
}

}  // namespace

std::vector<LayoutRow> ranked_rows(const LayoutSpace& space, const std::vector<LayoutRow>& rows) {
  const auto rank = [&](const LayoutRow& row) {
    const double cost = row.error.empty() ? costs(space.request().keys.goal,
                                                  space.base(space.variant_of(row.layout)),
                                                  space.batch(row.layout), row.figures)
                                                .front()
                                          : 0.0;
    return std::tuple(!row.error.empty(), !allowed(space, row), cost, row.layout);
  };
  std::map<std::tuple<bool, bool, double, std::size_t>, LayoutRow> ranked;
  for (const LayoutRow& row : rows) ranked.emplace(rank(row), row);
  std::vector<LayoutRow> sorted;
  sorted.reserve(ranked.size());
  for (auto& [unused, row] : ranked) sorted.push_back(std::move(row));
  return sorted;
}

nlohmann::ordered_json sweep_rows_json(const SweepAnswer& answer) {
  const LayoutSpace& space = *answer.space;
  Json rows = Json::array();
  for (const LayoutRow& row : ranked_rows(space, answer.result.rows)) {
    Json json{{"layout", row.layout},
              {"cluster", cluster_of(space, row.layout)},
              {"choices", Json::parse(space.choices_text(row.layout))}};
    json.update(figures_of(space, row));
    for (const char* key : {"error", "training_hours", "training_usd", "usd_per_million_tokens"}) {
      if (json[key].is_null()) json.erase(key);
    }
    rows.push_back(std::move(json));
  }
  for (const auto& [cluster, error] : unread_variants(space)) {
    rows.push_back({{"cluster", cluster}, {"allowed", false}, {"error", error}});
  }
  return rows;
}

std::string sweep_rows_jsonl(const SweepAnswer& answer) {
  std::string text;
  for (const Json& row : sweep_rows_json(answer)) {
    text += row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return text;
}

std::string sweep_rows_csv(const SweepAnswer& answer) {
  const LayoutSpace& space = *answer.space;
  const Json names = figures_of(space, LayoutRow{});
  std::vector<std::string> header{"layout", "cluster"};
  for (const SearchDimension& dimension : space.request().keys.dimensions) {
    header.push_back(dimension.key);
  }
  for (const auto& [name, unused] : names.items()) header.push_back(name);
  std::string text = csv_line(header);
  for (const LayoutRow& row : ranked_rows(space, answer.result.rows)) {
    std::vector<std::string> cells{std::to_string(row.layout), cluster_of(space, row.layout)};
    const Json choices = Json::parse(space.choices_text(row.layout));
    for (const SearchDimension& dimension : space.request().keys.dimensions) {
      cells.push_back(choices.contains(dimension.key) ? cell(choices[dimension.key]) : "");
    }
    const Json figures = figures_of(space, row);
    for (const auto& [unused, figure] : figures.items()) cells.push_back(cell(figure));
    text += csv_line(cells);
  }
  for (const auto& [cluster, error] : unread_variants(space)) {
    std::vector<std::string> cells(header.size());
    cells[1] = cluster;
    cells.back() = error;
    text += csv_line(cells);
  }
  return text;
}

}  // namespace stepcast
