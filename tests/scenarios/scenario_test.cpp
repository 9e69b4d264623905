#include "scenarios/scenario.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/small_scenario.h"

namespace stepcast {

namespace {

using nlohmann::json;
using test::read_text;
using test::small_scenario;

std::string written(const Scenario& scenario) { return scenario_to_json(scenario).dump(); }

}  // namespace

TEST_CASE("scenario: the example of the contract reads to what it says", "[scenarios]") {
  const Scenario s = read_text(R"({
    "schema": 1,
    "title": "65B on 8 nodes, 3D parallel",
    "model": "llama_65b",
    "cluster": { "node": "dgx_a100_80gb", "nodes": 8, "fabric": "hdr_rail" },
    "plan": { "tensor_parallel": 4, "pipeline_parallel": 2, "data_parallel": 8,
              "sequence_parallel": true, "zero_stage": 1, "recompute": "selective" },
    "batch": { "global_batch": 512, "micro_batch": 2, "sequence_length": 2048 },
    "precision": "bf16", "attention": "flash2", "framework": "megatron",
    "price": "aws_p4d_24xlarge",
    "training_tokens": 1.4e12,
    "claimed": { "tokens_per_s": 6200, "forward_flop": "130 TFLOP", "source": "a guide" },
    "measured": { "step_time": "12.3 s", "peak_memory": "30 GB", "memory_kind": "device",
                  "source": "a log" },
    "source": "design", "caveats": ["none"]
  })");
  REQUIRE(s.title == "65B on 8 nodes, 3D parallel");
  REQUIRE(s.file == "scenario.json");
  REQUIRE(s.pointer.empty());
  REQUIRE(s.model_name == "llama_65b");
  REQUIRE(s.job.model.name == "llama_65b");
  REQUIRE(s.job.model.num_layers == 80);
  REQUIRE(s.cluster.nodes == 8);
  REQUIRE(s.cluster.node.gpus == 8);
  REQUIRE(s.cluster.node.name == "dgx_a100_80gb");
  REQUIRE(s.cluster.node.gpu.name == "a100_sxm_80gb");
  REQUIRE(s.cluster.fabric.nics_per_node == 8);
  REQUIRE(s.cluster.fabric.name == "hdr_rail");
  REQUIRE(s.job.plan.recompute == Recompute::Selective);
  REQUIRE(s.job.batch.micro_batch == 2);
  REQUIRE(s.price->usd_per_node_hour == 32.77);
  REQUIRE(s.price->name == "aws_p4d_24xlarge");
  REQUIRE(s.training_tokens == 1.4e12);
  REQUIRE(s.claimed->tokens_per_s == 6200);
  REQUIRE(s.claimed->forward_flop == 130_TFLOP);
  REQUIRE_FALSE(s.claimed->step_time.has_value());
  REQUIRE(s.measured->step_time == 12.3_s);
  REQUIRE(s.measured->peak_memory == 30_GB);
  REQUIRE(s.measured->memory_kind == MemoryKind::Device);
  REQUIRE_FALSE(s.measured->derived);
  REQUIRE(s.device().gpu.fp16 == 312_TFLOP_per_s);
}

TEST_CASE("scenario: what was left open is filled in", "[scenarios]") {
  const Scenario s = read_text(small_scenario());
  REQUIRE(s.job.plan.data_parallel == 4);
  REQUIRE(s.job.plan.schedule == Schedule::OneForwardOneBackward);
  REQUIRE(s.job.plan.overlap_gradient_reduce.has_value());
  REQUIRE_FALSE(s.price.has_value());
  REQUIRE_FALSE(s.measured.has_value());
  REQUIRE_FALSE(s.seed.has_value());
}

TEST_CASE("scenario: its title is the file's name unless said", "[scenarios]") {
  const test::TemporaryFolder folder;
  REQUIRE(read_text(small_scenario()).title == "scenario");
  REQUIRE(read_scenarios(folder.write("my.json", small_scenario()), {}).at(0).title == "my");
}

TEST_CASE("scenario: part of a node's GPUs may be in use", "[scenarios]") {
  const Scenario s = read_text(small_scenario(R"({"cluster": {"gpus_per_node": 4}})"));
  REQUIRE(s.cluster.gpus_per_node == 4);
  REQUIRE(s.job.plan.data_parallel == 2);
}

TEST_CASE("scenario: parts may be files beside it", "[scenarios]") {
  const test::TemporaryFolder folder;
  folder.write("parts/fabric.json", R"({"layout": "single_switch", "transport": "tcp",
                                        "nics_per_node": 1, "nic_bandwidth": "100 Gbit/s"})");
  const std::string file = folder.write("scenario.json", small_scenario(R"({"cluster": {"nodes": 2,
                                                     "fabric": "parts/fabric.json"}})"));
  const Scenario s = read_scenarios(file, {}).at(0);
  REQUIRE(s.cluster.fabric.nic_bandwidth == 12.5_GB_per_s);
  REQUIRE(s.cluster.fabric.name == "fabric");
  REQUIRE(s.fabric_name == "parts/fabric.json");
  REQUIRE(s.profile.network.name == "tcp");
}

TEST_CASE("scenario: parts may be named ones with changes", "[scenarios]") {
  const Scenario s = read_text(small_scenario(
      R"({"cluster": {"node": {"base": "dgx_a100_80gb", "gpus": 4}, "nodes": 2,
                      "fabric": {"base": "hdr_rail", "oversubscription": 2}}})"));
  REQUIRE(s.cluster.node.gpus == 4);
  REQUIRE(s.cluster.fabric.oversubscription == 2);
  REQUIRE(s.node_name.empty());
}

TEST_CASE("scenario: faults of GPUs and of links", "[scenarios]") {
  const Scenario s = read_text(small_scenario(
      R"({"faults": [{"gpu": 3, "rate": 0.5},
                     {"link": "node0/gpu1>nvswitch", "bandwidth": "20 GB/s"}]})"));
  REQUIRE(s.cluster.faults.size() == 2);
  REQUIRE(s.cluster.faults[0].gpu == 3);
  REQUIRE(s.cluster.faults[0].rate == 0.5);
  REQUIRE(s.cluster.faults[1].gpu == -1);
  REQUIRE(s.cluster.faults[1].link == "node0/gpu1>nvswitch");
  REQUIRE(s.cluster.faults[1].bandwidth == 20_GB_per_s);
  REQUIRE(written(read_text(written(s))) == written(s));
}

TEST_CASE("scenario: what is written reads back to the same scenario", "[scenarios]") {
  const std::string patch = GENERATE(
      std::string("{}"), R"({"model": "llama_7b", "price": "aws_p4d_24xlarge", "seed": 7})",
      R"({"cluster": {"nodes": 2, "fabric": "hdr_rail"}, "runtime": {"torch_compile": true}})",
      R"({"cluster": {"node": {"base": "dgx_a100_80gb", "gpus": 4}, "gpus_per_node": 2}})",
      R"({"measured": {"step_time": "0.1 s", "fits": true, "derived": true},
          "claimed": {"forward_flop": "14 TFLOP", "forward_flop_tokens": 2048}})",
      R"({"calibration": {"gpu": {"gemm": {"peak_share": {"value": 0.5}}}}})");
  CAPTURE(patch);
  const Scenario first = read_text(small_scenario(patch));
  const Scenario second = read_text(written(first));
  REQUIRE(written(second) == written(first));
  REQUIRE(second.profile.gpu.gemm.peak_share.value == first.profile.gpu.gemm.peak_share.value);
  REQUIRE(second.cluster.node.gpus == first.cluster.node.gpus);
}

TEST_CASE("scenario: parts are written by name, those from a path inline", "[scenarios]") {
  const test::TemporaryFolder folder;
  const std::string model = folder.write("model.json", R"({"base": "llama_7b", "num_layers": 2})");
  const json named = scenario_to_json(read_text(small_scenario(R"({"model": "llama_7b"})")));
  REQUIRE(named["model"] == "llama_7b");
  REQUIRE(named["cluster"]["node"] == "dgx_a100_80gb");
  REQUIRE_FALSE(named["cluster"].contains("fabric"));
  REQUIRE_FALSE(named.contains("calibration"));
  const json inlined =
      scenario_to_json(read_text(small_scenario(R"({"model": ")" + model + "\"}")));
  REQUIRE(inlined["model"]["num_layers"] == 2);
}

TEST_CASE("scenario: the schema lists every key and asks for the required ones", "[scenarios]") {
  const json schema = scenario_schema();
  REQUIRE(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  REQUIRE(schema["required"] == json({"schema", "model", "cluster", "batch"}));
  REQUIRE(schema["properties"]["schema"]["minimum"] == 1);
  REQUIRE(schema["properties"]["schema"]["maximum"] == 1);
  REQUIRE(schema["properties"]["cluster"]["required"] == json({"node", "nodes"}));
  const json written = scenario_to_json(read_text(small_scenario()));
  for (const auto& [key, unused] : written.items()) {
    CAPTURE(key);
    REQUIRE(schema["properties"].contains(key));
  }
}

}  // namespace stepcast
