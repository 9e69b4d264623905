// The schemas that the program prints, held by a validator to all that ships and all that it
// answers.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#include <vector>

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

json changed(json document, const char* patch) {
  document.merge_patch(json::parse(patch));
  return document;
}

}  // namespace

TEST_CASE("every scenario and suite that ships is as its schema says", "[cli][contract]") {
  PrintedSchema scenario("scenario");
  PrintedSchema suite("suite");
  int files = 0;
  std::vector<std::string> folders{"scenarios/guide", "scenarios/network", "scenarios/validation"};
  if (std::filesystem::exists("../shared/data/runs")) folders.push_back("../shared/data/runs");
  for (const std::string& folder : folders) {
    for (const std::string& file : scenario_files(folder)) {
      INFO(file);
      const json document = read(file);
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
}

TEST_CASE("a suite's runs may take defaults away and change parts, not invent keys", "[cli]") {
  PrintedSchema suite("suite");
  const auto with_run = [](const char* run) {
    return json{{"schema", 1}, {"runs", json::array({json::parse(run)})}};
  };
  for (const char* run :
       {R"({"plan": null})", R"({"plan": {"recompute": null}})", R"({"cluster": {"node": null}})",
        R"({"cluster": {"node": {"gpus": 4}}})", R"({"cluster": {"nodes": [4, 8]}})",
        R"({"cluster": {"node": {"base": "dgx_a100_80gb", "gpu": {"memory": "40 GiB"}}}})",
        R"({"calibration": {"gpu": {"sustained_clock": null}}})"}) {
    INFO(run);
    CHECK(suite.fault(with_run(run)) == "");
  }
  for (const char* run :
       {R"({"plam": null})", R"({"plan": {"recomputed": null}})",
        R"({"cluster": {"node": {"base": "dgx_a100_80gb", "gpus_per_node": 4}}})",
        R"({"cluster": {"node": {"gpu": {"memory": "40"}}}})", R"({"faults": [{"gpu": null}]})",
        R"({"calibration": {"gpu": {"clock": 1}}})", R"(3)"}) {
    INFO(run);
    CHECK(suite.fault(with_run(run)) != "");
  }
  CHECK(suite.fault(json::parse(R"({"schema": 1, "runs": []})")) != "");
  CHECK(suite.fault(json::parse(R"({"schema": 1})")) != "");
}

TEST_CASE("a part with a base needs no other key, one without it its own", "[cli]") {
  PrintedSchema scenario("scenario");
  const json right = read("scenarios/guide/65b_8_nodes.json");
  CHECK(scenario.fault(changed(right, R"({"model": {"base": "llama_7b", "num_layers": 2}})")) ==
        "");
  CHECK(scenario.fault(changed(right, R"({"model": {"num_layers": 2}})")) != "");
  CHECK(scenario.fault(changed(right, R"({"model": {"base": "llama_7b", "layers": 2}})")) != "");
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
  for (const char* wrong :
       {R"({"gpus": {}})", R"({"network": 3})", R"({"gpu": {"clock": 0.9}})",
        R"({"gpu": {"base": "a100", "clock": 0.9}})", R"({"network": {"launch": "6"}})",
        R"({"gpu": {"gemm": {"peak_share": {"value": 0.8, "width": 0.1}}}})"}) {
    INFO(wrong);
    CHECK(profile.fault(json::parse(wrong)) != "");
  }
  CHECK(profile.fault(json::parse(R"({"gpu": {"base": "a100"}, "network": "efa"})")) == "");
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
