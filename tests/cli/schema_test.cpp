// The schemas that the program prints, held by a validator to all that ships and all that it
// answers.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "scenarios/catalogue.h"
#include "scenarios/scenario.h"
#include "tests/cli/run_program.h"

using namespace stepcast;
using nlohmann::json;
using valijson::adapters::NlohmannJsonAdapter;

namespace {

json read(const std::string& file) { return json::parse(test::text_of(file)); }

class PrintedSchema {
 public:
  explicit PrintedSchema(const std::string& name)
      : text_(json::parse(test::run_program({"schema", name}).output)) {
    valijson::SchemaParser().populateSchema(NlohmannJsonAdapter(text_), schema_);
  }

  /// What the validator finds wrong; empty where the document is as the schema says.
  std::string fault(const json& document) {
    valijson::ValidationResults results;
    if (valijson::Validator().validate(schema_, NlohmannJsonAdapter(document), &results)) return "";
    std::string text = "invalid";
    for (const auto& error : results) text += "; " + error.description;
    return text;
  }

 private:
  json text_;
  valijson::Schema schema_;
};

// A run's null takes a default away; the schema describes what is there.
json without_nulls(const json& document) {
  if (!document.is_structured()) return document;
  json kept = document.is_object() ? json::object() : json::array();
  for (const auto& [key, value] : document.items()) {
    if (value.is_null()) continue;
    if (document.is_object()) {
      kept[key] = without_nulls(value);
    } else {
      kept.push_back(without_nulls(value));
    }
  }
  return kept;
}

json changed(json document, const char* patch) {
  document.merge_patch(json::parse(patch));
  return document;
}

}  // namespace

TEST_CASE("every scenario and suite that ships is as its schema says", "[cli][contract]") {
  PrintedSchema scenario("scenario");
  PrintedSchema suite("suite");
  int files = 0;
  for (const char* folder : {"scenarios/guide", "scenarios/network", "scenarios/validation"}) {
    for (const std::string& file : scenario_files(folder)) {
      INFO(file);
      const json document = without_nulls(read(file));
      CHECK((document.contains("runs") ? suite : scenario).fault(document) == "");
      ++files;
    }
  }
  CHECK(files > 15);
}

TEST_CASE("scenarios that are wrong are no valid documents either", "[cli][contract]") {
  PrintedSchema scenario("scenario");
  const json right = read("scenarios/guide/65b_8_nodes.json");
  REQUIRE(scenario.fault(right) == "");
  for (const char* patch :
       {R"({"modle": "llama_7b"})", R"({"cluster": {"nodes": "8"}})",
        R"({"plan": {"zero_stage": 4}})", R"({"batch": {"global_batch": null}})",
        R"({"precision": "fp12"})", R"({"claimed": {"peak_memory": 30}})"}) {
    INFO(patch);
    CHECK(scenario.fault(changed(right, patch)) != "");
  }
  PrintedSchema suite("suite");
  CHECK(suite.fault(changed(read("scenarios/guide/30b_techniques.json"), R"({"runs": 3})")) != "");
}

TEST_CASE("every profile that ships is as its schema says", "[cli][contract]") {
  PrintedSchema profile("profile");
  int files = 0;
  for (const char* kind : {"gpu", "network", "framework"}) {
    for (const std::string& file : scenario_files(catalogue_folder() + "/profiles/" + kind)) {
      INFO(file);
      CHECK(profile.fault({{kind, read(file)}}) == "");
      ++files;
    }
  }
  CHECK(files > 15);
  CHECK(profile.fault({{"gpus", json::object()}}) != "");
  CHECK(profile.fault(json::parse(R"({"network": 3})")) != "");
}

TEST_CASE("every result of the guide is as its schema says", "[cli][contract]") {
  PrintedSchema result("result");
  for (const std::string& file : scenario_files("scenarios/guide")) {
    INFO(file);
    const json answer =
        json::parse(test::run_program({"predict", file, "--format", "json"}).output);
    for (const json& one : answer.is_array() ? answer : json::array({answer})) {
      CHECK(result.fault(one) == "");
      CHECK(result.fault(changed(one, R"({"step_time_s": "1 s"})")) != "");
    }
  }
}
