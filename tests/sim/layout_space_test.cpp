#include "sim/search/layout_space.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "scenarios/plan_check.h"
#include "tests/support/small_scenario.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

SearchRequest request_of(const std::string& patch) {
  return search_from_json(parse_json(small_scenario(patch), "scenario.json"), "scenario.json", {});
}

std::set<std::string> layouts_of(const LayoutSpace& space) {
  std::set<std::string> layouts;
  for (std::size_t i = 0; i < space.size(); ++i) layouts.insert(space.choices_text(i));
  return layouts;
}

// Every combination of a dimension's values beside what is chosen already.
using Choices = std::vector<nlohmann::ordered_json>;
Choices product(const Choices& choices, const std::string& key,
                const std::vector<nlohmann::json>& values) {
  Choices all;
  for (const nlohmann::ordered_json& choice : choices) {
    for (const nlohmann::json& value : values) {
      all.push_back(choice);
      all.back()[key] = value;
    }
  }
  return all;
}

bool is_valid(const Scenario& base, const nlohmann::ordered_json& choices) {
  Scenario scenario = base;
  scenario.job.plan = ParallelPlan();
  for (const auto& [key, value] : choices.items()) {
    set_layout_key(scenario.job, key, nlohmann::json::parse(value.dump()), {});
  }
  complete(scenario.job, num_gpus(scenario.cluster), scenario.profile.framework);
  return !first_violation(scenario);
}

}  // namespace

TEST_CASE("layout space: it is the valid part of the whole product", "[sim][search]") {
  const SearchRequest request = request_of(
      R"({"search": {"tensor_parallel": [2, 3, 4, 8, 16], "pipeline_parallel": [2, 4, 8],
                     "virtual_pipeline": [1, 2, 4], "micro_batch": [1, 2, 3, 4],
                     "sequence_parallel": "all", "recompute": "all", "schedule": "all"}})");
  const LayoutSpace space(request);
  Choices all{nlohmann::ordered_json::object()};
  all = product(all, "tensor_parallel", {2, 3, 4, 8, 16});
  all = product(all, "pipeline_parallel", {2, 4, 8});
  all = product(all, "virtual_pipeline", {1, 2, 4});
  all = product(all, "micro_batch", {1, 2, 3, 4});
  all = product(all, "sequence_parallel", all_values("sequence_parallel"));
  all = product(all, "recompute", all_values("recompute"));
  all = product(all, "schedule", all_values("schedule"));
  std::set<std::string> valid;
  for (const nlohmann::ordered_json& choices : all) {
    if (is_valid(space.base(0), choices)) valid.insert(choices.dump());
  }
  REQUIRE(valid.size() > 50);
  REQUIRE(layouts_of(space) == valid);
  REQUIRE(space.size() == valid.size());
}

TEST_CASE("layout space: divisors, counted by hand", "[sim][search]") {
  // 8 GPUs, 8 heads: tensor 1, 2, 4, 8 leave 8, 4, 2, 1 replicas of 2, 4, 8, 16 sequences each,
  // which have 2, 3, 4 and 5 divisors.
  const SearchRequest request =
      request_of(R"({"search": {"tensor_parallel": "divisors", "micro_batch": "divisors"}})");
  REQUIRE(LayoutSpace(request).size() == 2 + 3 + 4 + 5);
}

TEST_CASE("layout space: what changes nothing is not tried", "[sim][search]") {
  // Tensor 1: no sequence parallelism. Tensor 8: one replica, so ZeRO shards over nobody.
  const SearchRequest request =
      request_of(R"({"search": {"tensor_parallel": [1, 2, 8], "sequence_parallel": "all",
                                "zero_stage": [0, 1], "schedule": "all"}})");
  REQUIRE(LayoutSpace(request).size() == 1 * 2 + 2 * 2 + 2 * 1);
}

TEST_CASE("layout space: searched keys forget what the plan says, others keep it",
          "[sim][search]") {
  const SearchRequest request = request_of(
      R"({"plan": {"tensor_parallel": 4, "recompute": "full"},
          "search": {"tensor_parallel": [1, 2], "micro_batch": [2]}})");
  const LayoutSpace space(request);
  REQUIRE(space.size() == 2);
  const Scenario first = space.scenario(0);
  REQUIRE(first.job.plan.tensor_parallel == 1);
  REQUIRE(first.job.plan.data_parallel == 8);
  REQUIRE(first.job.plan.recompute == Recompute::Full);
  REQUIRE(first.job.batch.micro_batch == 2);
  REQUIRE(space.batch(1).micro_batch == 2);
  REQUIRE(space.title(1) == "tensor_parallel 2, micro_batch 2");
}

TEST_CASE("layout space: every cluster has its layouts, larger ones than asked for have none",
          "[sim][search]") {
  const std::string two = R"({"cluster": {"nodes": [1, 2], "fabric": "hdr_rail"},
                              "search": {"tensor_parallel": [1, 2])";
  const SearchRequest both = request_of(two + "}}");
  const LayoutSpace space(both);
  REQUIRE(space.size() == 4);
  REQUIRE(space.variant_of(1) == 0);
  REQUIRE(space.variant_of(2) == 1);
  REQUIRE(space.scenario(3).job.plan.data_parallel == 8);
  REQUIRE(space.title(3) == "nodes 2, tensor_parallel 2");
  const SearchRequest small = request_of(two + R"(, "max_nodes": 1}})");
  REQUIRE(LayoutSpace(small).size() == 2);
}

TEST_CASE("layout space: 65B on 64 GPUs has more than 20,000 layouts", "[sim][search]") {
  const SearchRequest request = read_search("scenarios/guide/65b_8_nodes.json", {});
  REQUIRE(LayoutSpace(request).size() >= 20000);
}

TEST_CASE("layout space: what the framework decides, it decides for every layout",
          "[sim][search]") {
  // ZeRO 3 overlaps by a habit of its own, and one rank a sequence needs no algorithm.
  const SearchRequest stages = request_of(R"({"search": {"zero_stage": [0, 3]}})");
  const LayoutSpace by_stage(stages);
  const auto& habits = by_stage.base(0).profile.framework.communication;
  REQUIRE(habits.zero3_overlap != habits.overlap_parameter_gather);
  REQUIRE(by_stage.size() == 2);
  REQUIRE(*by_stage.job(0).plan.overlap_parameter_gather == habits.overlap_parameter_gather);
  REQUIRE(*by_stage.job(1).plan.overlap_parameter_gather == habits.zero3_overlap);
  const SearchRequest ranks =
      request_of(R"({"plan": {"context_parallel": 2}, "search": {"context_parallel": [1, 2]}})");
  const LayoutSpace by_ranks(ranks);
  REQUIRE(by_ranks.size() == 2);
  REQUIRE_FALSE(by_ranks.job(0).plan.context_parallel_algorithm.has_value());
}

TEST_CASE("layout space: stated operations belong to selective recompute", "[sim][search]") {
  const SearchRequest request = request_of(
      R"({"plan": {"recompute": "selective", "recompute_operations": "norm"},
          "search": {"recompute": "all"}})");
  REQUIRE(LayoutSpace(request).size() == 3);
}
