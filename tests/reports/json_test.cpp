#include "reports/json.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "tests/reports/hand_made.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

double sum(const Json& object) {
  double sum = 0.0;
  for (const auto& [key, value] : object.items()) sum += value.get<double>();
  return sum;
}

StepReport full_report() {
  StepReport report = test::prediction_of_10_s().report;
  report.claims = {{"tokens_per_s", 6200, 6400}};
  report.warnings = {"look out"};
  report.engine.name = "event";
  return report;
}

// What of a value its schema does not describe or allow, as paths.
std::vector<std::string> faults(const Json& value, const Json& schema, const std::string& path) {
  const std::string type = schema.at("type");
  const bool fits = type == "object"    ? value.is_object()
                    : type == "array"   ? value.is_array()
                    : type == "integer" ? value.is_number_integer()
                    : type == "number"  ? value.is_number()
                    : type == "boolean" ? value.is_boolean()
                                        : value.is_string();
  if (!fits) return {path + " is no " + type};
  std::vector<std::string> found;
  const auto add = [&](const Json& child, const Json& rule, const std::string& name) {
    const auto more = faults(child, rule, path + "/" + name);
    found.insert(found.end(), more.begin(), more.end());
  };
  if (type == "array") {
    for (const Json& item : value) add(item, schema.at("items"), "item");
  }
  if (type == "object" && schema.contains("additionalProperties")) {
    for (const auto& [key, child] : value.items()) add(child, schema["additionalProperties"], key);
  } else if (type == "object") {
    for (const auto& [key, child] : value.items()) {
      if (!schema["properties"].contains(key))
        found.push_back(path + "/" + key + " is unknown");
      else
        add(child, schema["properties"][key], key);
    }
    for (const Json& key : schema["required"]) {
      if (!value.contains(key.get<std::string>())) found.push_back(path + " misses a key");
    }
  }
  return found;
}

}  // namespace

TEST_CASE("a result has the contract's keys", "[reports][contract]") {
  const Json json = result_json(full_report());
  REQUIRE(keys(json) == std::vector<std::string>{"schema",
                                                 "title",
                                                 "step_time_s",
                                                 "step_time_interval_s",
                                                 "tokens_per_s",
                                                 "tokens_per_s_per_gpu",
                                                 "model_flop_rate_per_gpu",
                                                 "mfu",
                                                 "hfu",
                                                 "breakdown_s",
                                                 "critical_stage",
                                                 "bubble_fraction",
                                                 "bottleneck",
                                                 "memory",
                                                 "fits",
                                                 "oom_probability",
                                                 "cost",
                                                 "engine",
                                                 "claims",
                                                 "warnings"});
  REQUIRE(keys(json["breakdown_s"]) ==
          std::vector<std::string>{"compute", "tensor_communication", "context_communication",
                                   "expert_communication", "pipeline_communication",
                                   "pipeline_bubble", "data_communication", "host_transfer",
                                   "optimizer", "other"});
  REQUIRE(keys(json["memory"]) ==
          std::vector<std::string>{"capacity_bytes", "peak_bytes", "peak_allocated_bytes",
                                   "peak_rank", "parts_bytes", "per_stage", "peak_reserved_bytes",
                                   "peak_interval_bytes", "timeline"});
  REQUIRE(keys(json["memory"]["per_stage"][0]) ==
          std::vector<std::string>{"stage", "allocated_bytes", "reserved_bytes", "device_bytes",
                                   "parts_bytes", "peak_at_s", "peak_instruction", "peak_work",
                                   "peak_micro_batch", "peak_chunk", "uncertain_bytes",
                                   "uncertain_likelihood"});
  REQUIRE(keys(json["cost"]) == std::vector<std::string>{"usd_per_hour", "usd_per_million_tokens",
                                                         "training_hours", "training_usd",
                                                         "energy_kwh"});
  REQUIRE(keys(json["engine"]) == std::vector<std::string>{"name", "certified", "gpus",
                                                           "rank_classes", "activities",
                                                           "wall_time_s", "settings"});
  REQUIRE(keys(json["claims"]["tokens_per_s"]) ==
          std::vector<std::string>{"claimed", "predicted", "ratio", "agrees"});
}

TEST_CASE("a result is in base units, and its parts sum up", "[reports][contract]") {
  const Json json = result_json(full_report());
  REQUIRE(json["schema"] == 1);
  REQUIRE(json["step_time_s"] == 10.0);
  REQUIRE(json["step_time_interval_s"] == Json({9.0, 11.5}));
  REQUIRE(json["model_flop_rate_per_gpu"] == 156e12);
  REQUIRE(sum(json["breakdown_s"]) == Approx(10.0).epsilon(1e-12));
  REQUIRE(json["memory"]["peak_bytes"] == 48.0 * 1024 * 1024 * 1024);
  REQUIRE(sum(json["memory"]["parts_bytes"]) == 48.0 * 1024 * 1024 * 1024);
  for (const Json& stage : json["memory"]["per_stage"]) {
    REQUIRE(sum(stage["parts_bytes"]) == stage["device_bytes"].get<double>());
  }
  REQUIRE(json["claims"]["tokens_per_s"]["ratio"] == 6400.0 / 6200.0);
}

TEST_CASE("what there is nothing of has no key", "[reports][contract]") {
  StepReport report = test::prediction_of_10_s().report;
  report.cost->training_hours.reset();
  REQUIRE_FALSE(result_json(report)["cost"].contains("training_hours"));
  report.cost.reset();
  const Json json = result_json(report);
  for (const char* key : {"cost", "claims", "warnings"}) CHECK_FALSE(json.contains(key));
  REQUIRE_FALSE(json["engine"].contains("settings"));
}

TEST_CASE("the same report gives the same bytes", "[reports][contract]") {
  REQUIRE(json_text(result_json(full_report())) == json_text(result_json(full_report())));
}

TEST_CASE("one prediction is an object, several are a list", "[reports][contract]") {
  const std::vector<Prediction> both{test::prediction_of_10_s(), test::prediction_of_6_s()};
  REQUIRE(results_json(std::span(both).first(1))["title"] == "Tiny on two nodes");
  const Json list = results_json(both);
  REQUIRE(list.size() == 2);
  REQUIRE(list[1]["title"] == "Tiny on four nodes");
}

TEST_CASE("the schema describes every key of a result, and each has a line of doc", "[reports]") {
  const Json schema = result_schema();
  REQUIRE(faults(result_json(full_report()), schema, "") == std::vector<std::string>{});
  REQUIRE(faults(result_json(test::prediction_of_6_s().report), schema, "") ==
          std::vector<std::string>{});
  for (const auto& [key, property] : schema["properties"].items()) {
    CHECK_FALSE(property["description"].get<std::string>().empty());
  }
  REQUIRE(schema["properties"]["fits"]["type"] == "boolean");
  REQUIRE(schema["properties"]["engine"]["properties"]["activities"]["type"] == "integer");
}

TEST_CASE("a title that is no UTF-8 still prints", "[reports]") {
  StepReport report = test::prediction_of_10_s().report;
  report.title = "\xff";
  REQUIRE_THAT(json_text(result_json(report)), Catch::Contains("\"title\": \"\xEF\xBF\xBD\""));
}

}  // namespace stepcast
