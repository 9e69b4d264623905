#include <nlohmann/json.hpp>

#include "reports/json.h"
#include "reports/sweep.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

Json with_scenario(const Prediction& prediction) {
  Json json = result_json(prediction.report);
  json["scenario"] = Json::parse(scenario_to_json(prediction.scenario).dump());
  return json;
}

Json clusters(const LayoutSpace& space) {
  std::vector<std::size_t> layouts(static_cast<std::size_t>(space.num_variants()), 0);
  for (std::size_t layout = 0; layout < space.size(); ++layout) {
    ++layouts[static_cast<std::size_t>(space.variant_of(layout))];
  }
  Json list = Json::array();
  for (std::size_t v = 0; v < layouts.size(); ++v) {
    const SearchVariant& variant = space.request().variants[v];
    Json cluster{{"name", variant.name}, {"layouts_valid", layouts[v]}};
    if (!variant.scenario) cluster["error"] = variant.error;
    list.push_back(std::move(cluster));
  }
  return list;
}

}  // namespace

nlohmann::ordered_json sweep_json(const SweepAnswer& answer, bool rows) {
  const SweepResult& result = answer.result;
  const SearchGoal& goal = answer.space->request().keys.goal;
  Json json{{"schema", 1},
            {"title", answer.space->request().title},
            {"objective", word(goal.objective)},
            {"layouts_valid", result.valid},
            {"layouts_not_allowed", result.not_allowed},
            {"layouts_bounded", result.bounded},
            {"layouts_certified", result.certified},
            {"layouts_simulated", result.simulated},
            {"layouts_failed", result.failed},
            {"proven", result.proven}};
  if (!result.proven) json["gap"] = result.gap ? Json(*result.gap) : Json();
  json["wall_time_s"] = answer.wall_time.value();
  json["clusters"] = clusters(*answer.space);
  json["best"] = answer.front.empty() ? Json() : with_scenario(answer.front.front());
  if (goal.pareto_with) json["pareto_with"] = word(*goal.pareto_with);
  json["pareto"] = Json::array();
  for (const Prediction& prediction : answer.front) {
    if (goal.pareto_with) json["pareto"].push_back(with_scenario(prediction));
  }
  if (rows) json["rows"] = sweep_rows_json(answer);
  return json;
}

}  // namespace stepcast
