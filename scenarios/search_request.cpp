#include "scenarios/search_request.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "scenarios/alternatives.h"
#include "scenarios/profile_choice.h"
#include "scenarios/scenario_fields.h"
#include "scenarios/scenario_reader.h"
#include "scenarios/suite.h"

namespace stepcast {

namespace {

using nlohmann::json;

/// The only scenario of a file.
std::pair<json, InputPlace> only_scenario(const json& file_json, const std::string& file,
                                          ScenarioReader& reader) {
  std::vector<std::pair<json, InputPlace>> found;
  reader.for_each(file_json, file, [&](const json& written, const InputPlace& place) {
    found.emplace_back(reader.with_settings(written, place), place);
  });
  if (found.size() == 1) return found.front();
  throw InputError({file, "/runs"},
                   fmt::format("the suite has {} runs, a search is of one scenario", found.size()),
                   "stepcast compare --search takes several scenarios");
}

std::vector<SearchVariant> read_variants(const json& written, const InputPlace& place,
                                         ScenarioReader& reader) {
  std::vector<SearchVariant> variants;
  std::optional<InputError> first_fault;
  bool any = false;
  for (const Alternative& alternative : alternatives_of(written, place)) {
    SearchVariant& variant = variants.emplace_back();
    variant.name = alternative.name;
    try {
      variant.scenario = reader.read_without_plan(*alternative.scenario, place);
      any = true;
    } catch (const InputError& error) {
      if (!first_fault) first_fault = error;
      variant.error = error.what();
    }
  }
  if (!any) throw *first_fault;
  return variants;
}

bool is_cost(Objective objective) {
  return objective == Objective::CostPerToken || objective == Objective::TrainingCost;
}

/// The first key that the goal needs and the scenario has not; empty where it has all.
std::string missing_key(const SearchGoal& goal, const Scenario& scenario) {
  const auto aims_at = [&](auto&& what) {
    return what(goal.objective) || (goal.pareto_with && what(*goal.pareto_with));
  };
  const bool money = aims_at(is_cost) || goal.max_training_usd;
  const bool whole_training = aims_at([](Objective o) { return o == Objective::TrainingCost; }) ||
                              goal.max_training_usd || goal.deadline;
  if (money && !scenario.price) return "price";
  if (whole_training && !scenario.training_tokens) return "training_tokens";
  return "";
}

void check_goal(const SearchRequest& request, const InputPlace& place) {
  for (const SearchVariant& variant : request.variants) {
    if (!variant.scenario) continue;
    const std::string missing = missing_key(request.keys.goal, *variant.scenario);
    if (missing.empty()) continue;
    throw InputError(place, fmt::format("the search's goal needs the key \"{}\"", missing),
                     missing == "price" ? "\"price\" is a catalogue name: stepcast catalogue"
                                        : "as in --set training_tokens=1.4e12");
  }
}

json text_of(const Scenario& scenario) {
  Scenario whole = scenario;
  json text = write_fields([&](Fields& f) { describe(f, whole); }, true);
  text["calibration"] = write_fields([&](Fields& f) { describe(f, whole.profile); }, true);
  return text;
}

}  // namespace

SearchRequest search_from_json(const json& json, const std::string& file,
                               const ReadOptions& options) {
  ScenarioReader reader(options);
  const auto [written, place] = only_scenario(json, file, reader);
  SearchRequest request;
  request.title = title_of(written, place);
  request.file = file;
  if (written.is_object() && written.contains("search")) {
    request.keys = read_search_keys(written["search"], child_of(place, "search"));
  }
  if (request.keys.dimensions.empty()) request.keys.dimensions = default_dimensions();
  request.variants = read_variants(written, place, reader);
  check_goal(request, place);
  return request;
}

SearchRequest read_search(const std::string& path, const ReadOptions& options) {
  return search_from_json(read_json_file(path), path, options);
}

std::string fingerprint(const SearchRequest& request) {
  SearchGoal goal = request.keys.goal;
  json text{{"goal", write_fields([&](Fields& f) { describe(f, goal); }, true)}};
  for (const SearchDimension& dimension : request.keys.dimensions) {
    const json values = dimension.values ? *dimension.values : json("all");
    text["dimensions"].push_back({{"key", dimension.key}, {"values", values}});
  }
  for (const SearchVariant& variant : request.variants) {
    text["variants"].push_back(variant.scenario ? text_of(*variant.scenario) : json(variant.error));
  }
  return text.dump();
}

}  // namespace stepcast
