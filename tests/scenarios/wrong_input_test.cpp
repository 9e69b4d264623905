// What a user may get wrong, and the whole message that tells.
#include <catch2/catch.hpp>

#include "tests/base/error_text.h"
#include "tests/support/small_scenario.h"

namespace stepcast {

namespace {

using test::small_scenario;
using test::text_error;

std::string error_of(const std::string& patch) { return text_error(small_scenario(patch)); }

}  // namespace

TEST_CASE("wrong input: an unknown key", "[scenarios]") {
  REQUIRE(error_of(R"({"batch": {"micro_bach": 2}})") ==
          "scenario.json: at /batch: unknown key \"micro_bach\"\n"
          "  expected keys: global_batch, micro_batch, sequence_length\n"
          "  hint: did you mean \"micro_batch\"?");
  REQUIRE_THAT(error_of(R"({"modle": "llama_7b"})"),
               Catch::StartsWith("scenario.json: at /: unknown key \"modle\"\n"
                                 "  expected keys: schema, title, model, cluster, faults, ") &&
                   Catch::EndsWith("\n  hint: did you mean \"model\"?"));
}

TEST_CASE("wrong input: a missing key", "[scenarios]") {
  REQUIRE(error_of(R"({"model": null})") ==
          "scenario.json: at /: the key \"model\" is missing\n"
          "  model: what is trained");
  REQUIRE(error_of(R"({"cluster": {"nodes": null}})") ==
          "scenario.json: at /cluster: the key \"nodes\" is missing\n"
          "  nodes: how many");
}

TEST_CASE("wrong input: a bare number where a quantity is due", "[scenarios]") {
  REQUIRE(error_of(R"({"measured": {"step_time": 12.3}})") ==
          "scenario.json: at /measured/step_time: found the number 12.3, expected a time with its "
          "unit\n"
          "  hint: write \"12.3 s\"");
  REQUIRE(
      error_of(R"({"claimed": {"forward_flop": 14}})") ==
      "scenario.json: at /claimed/forward_flop: found the number 14, expected a FLOP count with "
      "its unit\n"
      "  hint: write \"14 TFLOP\"");
}

TEST_CASE("wrong input: 7 GPUs for tensor parallel 8", "[scenarios]") {
  REQUIRE(error_of(R"({"cluster": {"gpus_per_node": 7}, "plan": {"tensor_parallel": 8}})") ==
          "scenario.json: at /plan: the plan needs a multiple of 8 GPUs, the cluster has 7\n"
          "  tensor_parallel 8 x pipeline_parallel 1 = 8; 1 node of dgx_a100_80gb = 1 x 7 GPUs\n"
          "  hint: 8 GPUs would do");
}

TEST_CASE("wrong input: a protocol of NCCL's that its network does not carry", "[scenarios]") {
  REQUIRE_THAT(
      error_of(R"({"cluster": {"nodes": 2, "fabric": "ethernet_100g"},
                            "nccl": {"protocol": "ll128"}})"),
      Catch::StartsWith("scenario.json: at /nccl/protocol: ll128 needs a network that keeps "
                        "the order of its stores, tcp does not") &&
          Catch::EndsWith("hint: ll and simple run over it"));
}

TEST_CASE("wrong input: a plan for another number of GPUs", "[scenarios]") {
  REQUIRE(error_of(R"({"plan": {"data_parallel": 8}})") ==
          "scenario.json: at /plan: the plan uses 16 GPUs, the cluster has 8\n"
          "  tensor_parallel 2 x pipeline_parallel 1 x data_parallel 8 = 16; 1 node of "
          "dgx_a100_80gb = 1 x 8 GPUs\n"
          "  hint: data_parallel 4 uses them all");
}

TEST_CASE("wrong input: more GPUs of a node than it has", "[scenarios]") {
  REQUIRE(error_of(R"({"cluster": {"gpus_per_node": 16}})") ==
          "scenario.json: at /cluster/gpus_per_node: 16 GPUs of each node in use, the node has 8");
}

TEST_CASE("wrong input: heads that tensor parallelism does not divide", "[scenarios]") {
  REQUIRE(error_of(R"({"model": {"hidden_size": 768, "num_attention_heads": 12},
                       "plan": {"tensor_parallel": 8}})") ==
          "scenario.json: at /plan/tensor_parallel: num_attention_heads 12 does not divide by "
          "tensor_parallel 8\n"
          "  hint: tensor_parallel 4 divides it");
}

TEST_CASE("wrong input: a batch that data parallelism does not divide", "[scenarios]") {
  REQUIRE(error_of(R"({"batch": {"global_batch": 18}})") ==
          "scenario.json: at /batch/global_batch: global_batch 18 does not divide by micro_batch 1 "
          "x data_parallel 4\n"
          "  micro_batch 1 x data_parallel 4 = 4\n"
          "  hint: global_batch 16 or 20 would do");
}

TEST_CASE("wrong input: a missing file", "[scenarios]") {
  REQUIRE(error_text([] { read_scenarios("no/such/file.json", {}); }) ==
          "no/such/file.json: at /: there is no such file");
}

TEST_CASE("wrong input: JSON that ends too early", "[scenarios]") {
  REQUIRE(text_error("{\"schema\": 1,\n \"model\": ") ==
          "scenario.json: at line 2, column 11: not valid JSON: unexpected end of input; expected "
          "'[', '{', or a literal\n"
          "  near \" \\\"model\\\": \"");
}

TEST_CASE("wrong input: ten megabytes of nested lists", "[scenarios]") {
  REQUIRE(text_error(std::string(10'000'000, '[')) ==
          "scenario.json: at line 1, column 65: lists and objects are nested more than 64 deep");
}

TEST_CASE("wrong input: not a number", "[scenarios]") {
  REQUIRE(text_error(R"({"schema": 1, "training_tokens": NaN})") ==
          "scenario.json: at line 1, column 34: not valid JSON: invalid literal\n"
          "  near \"{\\\"schema\\\": 1, \\\"training_tokens\\\": N\"");
  REQUIRE(error_of(R"({"measured": {"step_time": "nan s"}})") ==
          "scenario.json: at /measured/step_time: found \"nan s\", expected a time such as \"12.3 "
          "s\" (ns, us, ms, s, min, h)");
}

TEST_CASE("wrong input: negative sizes", "[scenarios]") {
  REQUIRE(error_of(R"({"model": {"hidden_size": -512}})") ==
          "scenario.json: at /model/hidden_size: found the number -512, expected at least 1 and at "
          "most 100000000");
  REQUIRE(error_of(R"({"measured": {"peak_memory": "-3 GB"}})") ==
          "scenario.json: at /measured/peak_memory: found \"-3 GB\", expected a size such as \"80 "
          "GiB\" (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB)");
}

TEST_CASE("wrong input: several nodes without a fabric", "[scenarios]") {
  REQUIRE_THAT(error_of(R"({"cluster": {"nodes": 2}})"),
               Catch::StartsWith("scenario.json: at /cluster: 2 nodes need a fabric\n"
                                 "  hint: \"fabric\" is one of efa_p4d, efa_p5, "));
}

TEST_CASE("wrong input: what is not a scenario at all", "[scenarios]") {
  REQUIRE(text_error("[]") == "scenario.json: at /: found a list, expected an object");
  REQUIRE(text_error("{}") ==
          "scenario.json: at /: the key \"schema\" is missing\n"
          "  schema: version of the file's format");
}

TEST_CASE("wrong input: kernels and precisions that the GPU has not", "[scenarios]") {
  REQUIRE(error_of(R"({"precision": "fp8"})") ==
          "scenario.json: at /precision: a100_sxm_80gb has no fp8\n"
          "  hint: precision bf16 runs on it");
  REQUIRE(error_of(R"({"attention": "flash3"})") ==
          "scenario.json: at /attention: flash3 needs a Hopper GPU, a100_sxm_80gb is none\n"
          "  hint: attention flash2 runs on it");
  const std::string volta = R"({"cluster": {"node": "v100_sxm2_32gb_x4"}, "precision": )";
  REQUIRE(error_of(volta + R"("fp16"})") ==
          "scenario.json: at /attention: flash2 needs an Ampere GPU or a later one, "
          "v100_sxm2_32gb is none\n"
          "  hint: attention unfused runs on it");
  REQUIRE(error_of(volta + R"("bf16"})") ==
          "scenario.json: at /precision: v100_sxm2_32gb has no bf16\n"
          "  hint: precision fp16 runs on it");
  REQUIRE(error_of(volta + R"("tf32"})") ==
          "scenario.json: at /precision: v100_sxm2_32gb has no tf32\n"
          "  hint: precision fp32 runs on it");
}

TEST_CASE("wrong input: 2:4 masks of another density, or without sparse tensor cores",
          "[scenarios]") {
  REQUIRE(error_of(R"({"sparsity": {"density": 0.3}})") ==
          "scenario.json: at /sparsity/density: a 2:4 pattern has a density of 0.5\n"
          "  hint: other densities need \"pattern\": \"unstructured\"");
  REQUIRE(error_of(R"({"cluster": {"node": "v100_sxm2_32gb_x4"}, "precision": "fp16",
                       "attention": "unfused", "sparsity": {}})") ==
          "scenario.json: at /sparsity/pattern: 2:4 needs an Ampere GPU or a later one, "
          "v100_sxm2_32gb is none\n"
          "  hint: pattern unstructured runs on it, without a gain");
}

TEST_CASE("wrong input: offload of what cannot be offloaded", "[scenarios]") {
  REQUIRE(error_of(R"({"plan": {"offload": "gradients"}})") ==
          "scenario.json: at /plan/offload: found \"gradients\", expected one of optimizer, "
          "parameters, activations");
}

TEST_CASE("wrong input: faults of nothing, of two things, or of what is not there", "[scenarios]") {
  const auto fault = [](const std::string& text) {
    return error_of(R"({"faults": [)" + text + "]}");
  };
  REQUIRE(fault("{}") == "scenario.json: at /faults/0: a fault is of one gpu or of one link");
  REQUIRE(fault(R"({"gpu": 1})") ==
          "scenario.json: at /faults/0: a gpu's fault has a rate, a link's has not");
  REQUIRE(fault(R"({"gpu": 1, "rate": 0.5, "bandwidth": "1 GB/s"})") ==
          "scenario.json: at /faults/0: a link's fault has a bandwidth, a gpu's has not");
  REQUIRE(fault(R"({"gpu": 8, "rate": 0.5})") ==
          "scenario.json: at /faults/0/gpu: the cluster has no GPU 8\n"
          "  1 nodes x 8 GPUs\n"
          "  hint: GPUs are numbered from 0 to 7");
}

}  // namespace stepcast
