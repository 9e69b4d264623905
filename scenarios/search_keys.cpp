#include "scenarios/search_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/contract.h"
#include "base/near_names.h"

namespace stepcast {

namespace {

using nlohmann::json;

constexpr std::array<std::pair<Objective, std::string_view>, 4> objectives{{
    {Objective::StepTime, "step_time"},
    {Objective::CostPerToken, "usd_per_million_tokens"},
    {Objective::TrainingCost, "training_usd"},
    {Objective::MemoryHeadroom, "memory_headroom"},
}};

// Degrees first: layouts that share them lie together. Their order is that of the search's rows.
constexpr std::array<std::string_view, 13> searched_by_default{
    "tensor_parallel", "pipeline_parallel", "expert_parallel",      "virtual_pipeline",
    "micro_batch",     "sequence_parallel", "zero_stage",           "overlap_gradient_reduce",
    "recompute",       "recompute_method",  "recompute_num_layers", "schedule",
    "offload"};

/// Plan and batch hold no named parts.
class NoParts : public PartResolver {
 public:
  Part resolve(std::string_view, const std::string& name, const InputPlace& from) override {
    throw InputError(from, fmt::format("there is no part \"{}\" here", name));
  }
};

/// The text keys that every object may have.
const json& text_keys() {
  static const json keys = schema_of_fields([](Fields&) {})["properties"];
  return keys;
}

json keys_of(const json& schema) {
  json keys = schema["properties"];
  for (const auto& [text_key, unused] : text_keys().items()) keys.erase(text_key);
  return keys;
}

/// JSON Schema of every key of the plan, and of those of the batch.
const json& plan_keys() {
  static const json keys = keys_of(schema_of_fields([](Fields& f) {
    ParallelPlan plan;
    describe(f, plan);
  }));
  return keys;
}

const json& batch_keys() {
  static const json keys = keys_of(schema_of_fields([](Fields& f) {
    Batch batch;
    describe(f, batch);
  }));
  return keys;
}

const json& goal_keys() {
  static const json keys = keys_of(schema_of_fields([](Fields& f) {
    SearchGoal goal;
    describe(f, goal);
  }));
  return keys;
}

bool is_layout_key(const std::string& key) {
  return plan_keys().contains(key) || batch_keys().contains(key);
}

const json& schema_of(const std::string& key) {
  return plan_keys().contains(key) ? plan_keys().at(key) : batch_keys().at(key);
}

/// Whether the key is a number of parts that something is divided into.
bool takes_divisors(const std::string& key) {
  if (batch_keys().contains(key)) return key == "micro_batch";
  const json& schema = schema_of(key);
  return schema.contains("type") && schema["type"] == "integer" && all_values(key).empty();
}

/// The words of a list of words; null for other keys.
const json* words_of_list(const json& schema) {
  if (!schema.contains("anyOf")) return nullptr;
  for (const json& form : schema["anyOf"]) {
    if (form.contains("items") && form["items"].contains("enum")) return &form["items"]["enum"];
  }
  return nullptr;
}

std::vector<json> sets_of(const json& words) {
  std::vector<json> sets{json::array()};
  for (const json& word : words) {
    const std::size_t without = sets.size();
    for (std::size_t i = 0; i < without; ++i) {
      json with = sets[i];
      with.push_back(word);
      sets.push_back(std::move(with));
    }
  }
  return sets;
}

std::vector<json> range_of(const json& schema) {
  constexpr int max_values = 16;  // a range of more is no choice of kinds
  if (!schema.contains("minimum") || !schema.contains("maximum")) return {};
  const double least = schema["minimum"];
  const double most = schema["maximum"];
  std::vector<json> values;
  if (most - least >= max_values) return values;
  for (int value = static_cast<int>(least); value <= most; ++value) values.emplace_back(value);
  return values;
}

std::string expected_values(const std::string& key) {
  if (takes_divisors(key)) return R"(a list of values or "divisors")";
  return all_values(key).empty() ? "a list of values" : R"(a list of values or "all")";
}

void check_values(const std::string& key, const json& values, const InputPlace& search) {
  const InputPlace place = child_of(search, key);
  if (values.empty()) throw InputError(place, "the list is empty, expected values to try");
  TrainingJob job;
  job.batch = {1, 1, 1};  // any: only the value is looked at
  for (std::size_t i = 0; i < values.size(); ++i) {
    set_layout_key(job, key, values[i], search);
    const auto end = values.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(values.begin(), end, values[i]) != end) {
      throw InputError(child_of(place, i), fmt::format("{} is listed twice", values[i].dump()));
    }
  }
}

SearchDimension read_dimension(const std::string& key, const json& values,
                               const InputPlace& search) {
  if (values.is_array()) {
    check_values(key, values, search);
    return {key, std::make_shared<const json>(values)};
  }
  const bool listable = takes_divisors(key) ? values == "divisors" || values == "all"
                                            : values == "all" && !all_values(key).empty();
  if (listable) return {key, nullptr};
  throw InputError(child_of(search, key),
                   fmt::format("found {}, expected {}", values.dump(), expected_values(key)),
                   fmt::format("\"{}\": [{}] tries one value", key, values.dump()));
}

[[noreturn]] void refuse_key(const std::string& key, const InputPlace& place) {
  std::vector<std::string> known;
  for (const json* keys : {&goal_keys(), &plan_keys(), &batch_keys()}) {
    for (const auto& [name, unused] : keys->items()) known.push_back(name);
  }
  throw InputError(place, fmt::format("unknown key \"{}\"", key), did_you_mean(key, known),
                   {"a search has dimensions, which are keys of the plan or the batch, and a goal",
                    fmt::format("expected keys: {}", fmt::join(known, ", "))});
}

std::size_t place_in_order(const SearchDimension& dimension) {
  const auto found =
      std::find(searched_by_default.begin(), searched_by_default.end(), dimension.key);
  return static_cast<std::size_t>(found - searched_by_default.begin());
}

void check_goal(const Fields& f, const SearchGoal& goal) {
  if (goal.pareto_with == goal.objective) {
    f.fault("pareto_with",
            fmt::format("the front of {} with itself is one layout", word(goal.objective)),
            "name another objective");
  }
}

}  // namespace

std::string_view word(Objective objective) {
  for (const auto& [known, text] : objectives) {
    if (known == objective) return text;
  }
  STEPCAST_REQUIRES(false && "every objective has a word");
  return {};
}

std::vector<std::string> objective_words() {
  std::vector<std::string> words;
  for (const auto& [unused, text] : objectives) words.emplace_back(text);
  return words;
}

void describe(Fields& f, SearchGoal& goal) {
  f.field("objective", goal.objective, objectives, {.doc = "what the best layout has best"});
  f.field("pareto_with", goal.pareto_with, objectives,
          {.doc = "a second objective: the answer has the Pareto front of both"});
  f.field("fit_probability", goal.fit_probability,
          {.at_least = 0, .at_most = 1, .doc = "least probability of not running out of memory"});
  f.field("deadline", goal.deadline, {.more_than = 0, .doc = "of the whole training"});
  f.field("max_nodes", goal.max_nodes, {.at_least = 1, .doc = "larger clusters are left out"});
  f.field("max_training_usd", goal.max_training_usd,
          {.more_than = 0, .doc = "most that the whole training may cost"});
  check_goal(f, goal);
}

SearchKeys read_search_keys(const json& written, const InputPlace& place) {
  if (!written.is_object()) throw InputError(place, "a search is an object of dimensions and goal");
  json goal = json::object();
  SearchKeys keys;
  for (const auto& [key, value] : written.items()) {
    if (is_layout_key(key)) {
      keys.dimensions.push_back(read_dimension(key, value, place));
    } else if (goal_keys().contains(key) || text_keys().contains(key)) {
      goal[key] = value;
    } else {
      refuse_key(key, place);
    }
  }
  std::stable_sort(
      keys.dimensions.begin(), keys.dimensions.end(),
      [](const auto& a, const auto& b) { return place_in_order(a) < place_in_order(b); });
  NoParts no_parts;
  read_fields(goal, place, no_parts, [&](Fields& f) { describe(f, keys.goal); });
  return keys;
}

json search_schema() {
  json schema = schema_of_fields([](Fields& f) {
    SearchGoal goal;
    describe(f, goal);
  });
  schema["description"] = "which layouts a sweep tries, and what is best; only sweeps look at it";
  for (const json* keys : {&plan_keys(), &batch_keys()}) {
    for (const auto& [key, value] : keys->items()) {
      const json list{{"type", "array"}, {"items", value}, {"minItems", 1}, {"uniqueItems", true}};
      json forms = json::array({list});
      if (takes_divisors(key)) forms.push_back({{"enum", {"divisors", "all"}}});
      if (!all_values(key).empty()) forms.push_back({{"const", "all"}});
      schema["properties"][key] = {{"anyOf", forms}, {"description", "values to try"}};
    }
  }
  return schema;
}

std::vector<SearchDimension> default_dimensions() {
  std::vector<SearchDimension> dimensions;
  for (const std::string_view key : searched_by_default) {
    if (is_layout_key(std::string(key))) dimensions.push_back({std::string(key), nullptr});
  }
  return dimensions;
}

bool is_batch_key(const std::string& key) { return batch_keys().contains(key); }

std::vector<json> all_values(const std::string& key) {
  const json& schema = schema_of(key);
  if (schema.contains("enum")) return schema["enum"].get<std::vector<json>>();
  if (const json* words = words_of_list(schema)) return sets_of(*words);
  if (!schema.contains("type")) return {};
  if (schema["type"] == "boolean") return {false, true};
  if (schema["type"] == "integer") return range_of(schema);
  return {};
}

void set_layout_key(TrainingJob& job, const std::string& key, const json& value,
                    const InputPlace& place) {
  NoParts no_parts;
  if (plan_keys().contains(key)) {
    const json object{{key, value}};
    read_fields(object, place, no_parts, [&](Fields& f) { describe(f, job.plan); });
    // Stated operations are of selective recompute: other kinds are tried without them.
    if (key == "recompute" && job.plan.recompute != Recompute::Selective) {
      job.plan.recompute_operations = {};
    }
    return;
  }
  json object = write_fields([&](Fields& f) { describe(f, job.batch); }, false);
  object[key] = value;
  read_fields(object, place, no_parts, [&](Fields& f) { describe(f, job.batch); });
}

}  // namespace stepcast
