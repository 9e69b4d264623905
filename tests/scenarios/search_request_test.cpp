#include "scenarios/search_request.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/small_scenario.h"

namespace stepcast {

namespace {

using test::small_scenario;
using test::text_error;

SearchRequest search_of(const std::string& patch) {
  return search_from_json(parse_json(small_scenario(patch), "scenario.json"), "scenario.json", {});
}

std::string search_error(const std::string& patch, const ReadOptions& options = {}) {
  try {
    search_from_json(parse_json(small_scenario(patch), "scenario.json"), "scenario.json", options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

std::vector<std::string> keys_of(const std::vector<SearchDimension>& dimensions) {
  std::vector<std::string> keys;
  for (const SearchDimension& dimension : dimensions) keys.push_back(dimension.key);
  return keys;
}

std::vector<std::string> names_of(const SearchRequest& request) {
  std::vector<std::string> names;
  for (const SearchVariant& variant : request.variants) names.push_back(variant.name);
  return names;
}

const std::string two_fabrics =
    R"({"cluster": {"nodes": [2, 4], "fabric": ["hdr_rail", "ndr_rail"]}})";

}  // namespace

TEST_CASE("search: without dimensions of its own every default one is tried",
          "[scenarios][search]") {
  const SearchRequest request = search_of(R"({"search": {"objective": "memory_headroom"}})");
  REQUIRE(request.keys.goal.objective == Objective::MemoryHeadroom);
  const std::vector<std::string> keys = keys_of(request.keys.dimensions);
  for (const char* key : {"tensor_parallel", "pipeline_parallel", "virtual_pipeline", "micro_batch",
                          "zero_stage", "recompute", "sequence_parallel", "schedule", "offload"}) {
    CAPTURE(key);
    REQUIRE(std::find(keys.begin(), keys.end(), key) != keys.end());
  }
}

TEST_CASE("search: named dimensions are the only ones, degrees first", "[scenarios][search]") {
  const SearchRequest request =
      search_of(R"({"search": {"recompute": "all", "micro_batch": [1, 2], "context_parallel": [1],
                               "tensor_parallel": "divisors", "comment": "why"}})");
  REQUIRE(keys_of(request.keys.dimensions) == std::vector<std::string>{"tensor_parallel",
                                                                       "micro_batch", "recompute",
                                                                       "context_parallel"});
  REQUIRE(request.keys.dimensions[0].values == nullptr);
  REQUIRE(*request.keys.dimensions[1].values == nlohmann::json({1, 2}));
}

TEST_CASE("search: the words to try are those that the plan knows", "[scenarios][search]") {
  REQUIRE(all_values("sequence_parallel") == std::vector<nlohmann::json>{false, true});
  REQUIRE(all_values("zero_stage") == std::vector<nlohmann::json>{0, 1, 2, 3});
  REQUIRE(all_values("tensor_parallel").empty());
  const std::vector<nlohmann::json> recompute = all_values("recompute");
  REQUIRE(std::find(recompute.begin(), recompute.end(), "selective") != recompute.end());
  // A list of words: every set of them. Three words have 2^3.
  const std::vector<nlohmann::json> offload = all_values("offload");
  REQUIRE(offload.size() == 8);
  REQUIRE(offload.front() == nlohmann::json::array());
}

TEST_CASE("search: lists in the cluster are clusters to choose from", "[scenarios][search]") {
  const SearchRequest request = search_of(two_fabrics);
  REQUIRE(names_of(request) ==
          std::vector<std::string>{"nodes 2, fabric hdr_rail", "nodes 2, fabric ndr_rail",
                                   "nodes 4, fabric hdr_rail", "nodes 4, fabric ndr_rail"});
  REQUIRE(request.variants[2].scenario->cluster.nodes == 4);
  REQUIRE(request.variants[3].scenario->fabric_name == "ndr_rail");
}

TEST_CASE("search: each kind of node has its own price", "[scenarios][search]") {
  const SearchRequest request =
      search_of(R"({"cluster": {"node": ["dgx_a100_80gb", "dgx_h100_80gb"]},
                    "price": ["aws_p4de_24xlarge", "aws_p5_48xlarge"]})");
  REQUIRE(request.variants.size() == 2);
  REQUIRE(request.variants[0].scenario->price_name == "aws_p4de_24xlarge");
  REQUIRE(request.variants[1].scenario->price_name == "aws_p5_48xlarge");
}

TEST_CASE("search: a cluster that cannot be read is kept with its error", "[scenarios][search]") {
  const SearchRequest request = search_of(
      R"({"cluster": {"node": ["dgx_a100_80gb", "dgx_h100_80gb"]}, "attention": "flash3"})");
  REQUIRE_FALSE(request.variants[0].scenario.has_value());
  REQUIRE_THAT(request.variants[0].error, Catch::Contains("flash3 needs a Hopper GPU"));
  REQUIRE(request.variants[1].scenario.has_value());
}

TEST_CASE("search: a plan that is wrong for the cluster as it stands does not matter",
          "[scenarios][search]") {
  REQUIRE(search_of(R"({"plan": {"tensor_parallel": 3}})").variants.size() == 1);
}

TEST_CASE("search: the fingerprint tells searches apart, and equal ones not",
          "[scenarios][search]") {
  const std::string one = fingerprint(search_of("{}"));
  REQUIRE(one == fingerprint(search_of("{}")));
  REQUIRE(one != fingerprint(search_of(R"({"batch": {"global_batch": 32}})")));
  REQUIRE(one != fingerprint(search_of(R"({"search": {"fit_probability": 0.9}})")));
  REQUIRE(one != fingerprint(search_of(R"({"search": {"recompute": ["full"]}})")));
  REQUIRE(one != fingerprint(search_of(R"({"calibration": {"gpu": {"sustained_clock":
      {"value": 0.5, "spread": 0.1, "source": "a test"}}}})")));
}

TEST_CASE("search: wrong input names the place and a way out", "[scenarios][search]") {
  struct Case {
    const char* patch;
    const char* message;
  };
  const Case cases[] = {
      {R"({"search": {"tensor_paralel": [1]}})", "unknown key \"tensor_paralel\""},
      {R"({"search": {"tensor_paralel": [1]}})", "did you mean \"tensor_parallel\""},
      {R"({"search": {"tensor_parallel": 4}})",
       "at /search/tensor_parallel: found 4, expected a list of values or \"divisors\""},
      {R"({"search": {"recompute": "divisors"}})", "expected a list of values or \"all\""},
      {R"({"search": {"recompute": ["some"]}})", "at /search/recompute: found \"some\""},
      {R"({"search": {"tensor_parallel": []}})", "the list is empty"},
      {R"({"search": {"tensor_parallel": [2, 2]}})", "2 is listed twice"},
      {R"({"search": {"global_batch": "divisors"}})", "expected a list of values"},
      {R"({"search": {"objective": "fame"}})", "at /search/objective: found \"fame\""},
      {R"({"search": {"objective": "step_time", "pareto_with": "step_time"}})",
       "the front of step_time with itself"},
      {R"({"search": {"objective": "usd_per_million_tokens"}})", "needs the key \"price\""},
      {R"({"search": {"deadline": "3 h"}})", "needs the key \"training_tokens\""},
      {R"({"search": {"deadline": "3"}})", "at /search/deadline"},
      {R"({"search": {"fit_probability": 2}})", "at /search/fit_probability"},
      {R"({"search": [1]})", "a search is an object"},
      {R"({"cluster": {"nodes": []}})", "at /cluster/nodes: the list is empty"},
      {R"({"cluster": {"nodes": [1, 1]}})", "at /cluster/nodes/1: 1 is listed twice"},
      {R"({"cluster": {"nodes": [2, 4]}})", "2 nodes need a fabric"},
      {R"({"price": ["aws_p4d_24xlarge", "aws_p5_48xlarge"]})", "2 prices for 1 kind of node"},
  };
  for (const Case& wrong : cases) {
    CAPTURE(wrong.patch);
    CHECK_THAT(search_error(wrong.patch), Catch::Contains(wrong.message));
  }
}

TEST_CASE("search: who predicts one scenario is told that a list is for a search",
          "[scenarios][search]") {
  REQUIRE_THAT(text_error(small_scenario(R"({"cluster": {"nodes": [1, 2]}})")),
               Catch::Contains("at /cluster/nodes: found a list, expected one value") &&
                   Catch::Contains("stepcast sweep searches them all"));
}

TEST_CASE("search: predictions read past the key, but not past its faults", "[scenarios][search]") {
  REQUIRE(text_error(small_scenario(R"({"search": {"micro_batch": [1]}})")) == "no error");
  REQUIRE_THAT(text_error(small_scenario(R"({"search": {"micro_batch": ["one"]}})")),
               Catch::Contains("at /search/micro_batch"));
}

TEST_CASE("search: the scenario's schema knows the key and the lists", "[scenarios][search]") {
  const nlohmann::json schema = scenario_schema();
  const nlohmann::json& search = schema["properties"]["search"]["properties"];
  REQUIRE(search.contains("objective"));
  REQUIRE(search.contains("tensor_parallel"));
  REQUIRE(search.contains("micro_batch"));
  REQUIRE(schema["properties"]["cluster"]["properties"]["nodes"]["anyOf"][1]["type"] == "array");
}

}  // namespace stepcast
