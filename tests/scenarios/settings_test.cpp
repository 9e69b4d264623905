#include "scenarios/settings.h"

#include <catch2/catch.hpp>

#include "tests/support/small_scenario.h"

namespace stepcast {

namespace {

using test::read_text;
using test::small_scenario;
using test::text_error;

ReadOptions with(std::vector<std::string> settings) { return {.settings = std::move(settings)}; }

Scenario set(const std::string& setting, const std::string& patch = "{}") {
  return read_text(small_scenario(patch), with({setting}));
}

std::string set_error(const std::string& setting, const std::string& patch = "{}") {
  return text_error(small_scenario(patch), with({setting}));
}

}  // namespace

TEST_CASE("settings: slashes and dots are the same", "[scenarios]") {
  for (const char* setting :
       {"plan/tensor_parallel=4", "plan.tensor_parallel=4", "/plan/tensor_parallel=4"}) {
    REQUIRE(set(setting).job.plan.tensor_parallel == 4);
  }
}

TEST_CASE("settings: a value is JSON where it reads as such, else text", "[scenarios]") {
  REQUIRE(set("plan/sequence_parallel=true").job.plan.sequence_parallel);
  REQUIRE(set("training_tokens=1.4e12").training_tokens == 1.4e12);
  REQUIRE(set("title=a=b").title == "a=b");
  REQUIRE(set("title=\"12\"").title == "12");
  REQUIRE(set("plan={\"tensor_parallel\": 8}").job.plan.tensor_parallel == 8);
  REQUIRE(set("measured/step_time=12.3 s").measured->step_time == 12.3_s);
}

TEST_CASE("settings: where text is due, a number is the text as written", "[scenarios]") {
  REQUIRE(set("nccl.version=2.20").nccl->version == "2.20");
  REQUIRE(set("nccl.version=\"2.20\"").nccl->version == "2.20");
  REQUIRE(set("title=12").title == "12");
  REQUIRE_THAT(set_error("measured/step_time=12.3"), Catch::Contains("write \"12.3 s\""));
}

TEST_CASE("settings: a key that the file has not is made", "[scenarios]") {
  REQUIRE(set("runtime/torch_compile=true").job.runtime.torch_compile);
}

TEST_CASE("settings: null takes a key away", "[scenarios]") {
  REQUIRE(set("plan/tensor_parallel=null").job.plan.tensor_parallel == 1);
  REQUIRE(set("plan=null").job.plan.data_parallel == 8);
}

TEST_CASE("settings: later ones win", "[scenarios]") {
  const Scenario scenario =
      read_text(small_scenario(), with({"plan/tensor_parallel=4", "plan/tensor_parallel=8"}));
  REQUIRE(scenario.job.plan.tensor_parallel == 8);
}

TEST_CASE("settings: a path goes through a named part", "[scenarios]") {
  const Scenario scenario = set("model/num_layers=40", R"({"model": "llama_65b"})");
  REQUIRE(scenario.job.model.num_layers == 40);
  REQUIRE(scenario.job.model.hidden_size == 8192);
  REQUIRE(scenario.model_name.empty());
  REQUIRE(set("cluster/node/gpu/memory=40 GiB").cluster.node.gpu.memory == 40_GiB);
  REQUIRE(set("cluster/node/gpu/memory=40 GiB").cluster.node.gpu.fp16 == 312_TFLOP_per_s);
}

TEST_CASE("settings: null in a changed part takes the base's key away", "[scenarios]") {
  // 4 x hidden_size, for a gated MLP 8 / 3 of it, where it is not said; llama_7b says 11,008.
  const Scenario plain = set("model/ffn_hidden_size=null", R"({"model": "llama_7b"})");
  REQUIRE(plain.job.model.ffn_hidden_size != 11008);
}

TEST_CASE("settings: a list's elements go by number", "[scenarios]") {
  const std::string faults = R"({"faults": [{"gpu": 3, "rate": 0.5}]})";
  REQUIRE(set("faults/0/rate=0.25", faults).cluster.faults[0].rate == 0.25);
  REQUIRE(set_error("faults/1/rate=0.25", faults) ==
          "scenario.json: at /faults: there is no element 1, the list has 1");
}

TEST_CASE("settings: a part's path is relative to where the command runs", "[scenarios]") {
  const test::TemporaryFolder folder;
  folder.write(
      "model.json",
      R"({"num_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "vocab_size": 9})");
  const std::string scenario = folder.write("scenario.json", small_scenario());
  const std::string path = std::filesystem::relative(folder.path("model.json")).string();
  REQUIRE(read_scenarios(scenario, with({"model=" + path})).at(0).job.model.num_layers == 2);
}

TEST_CASE("settings: they hold for every run of a suite", "[scenarios]") {
  const auto runs = test::read_texts(
      R"({"schema": 1, "defaults": )" + small_scenario() + R"(, "runs": [{}, {}]})",
      with({"plan/tensor_parallel=8"}));
  REQUIRE(runs.at(0).job.plan.tensor_parallel == 8);
  REQUIRE(runs.at(1).job.plan.tensor_parallel == 8);
}

TEST_CASE("settings: a path that is no key of a scenario is refused", "[scenarios]") {
  REQUIRE(set_error("batch/global_batsh=3") ==
          "--set batch/global_batsh=3: at /batch: unknown key \"global_batsh\"\n"
          "  expected keys: caveats, comment, global_batch, micro_batch, sequence_length, source, "
          "title\n"
          "  hint: did you mean \"global_batch\"?");
  REQUIRE(set_error("batch/micro_batch/x=3") ==
          "--set batch/micro_batch/x=3: at /batch/micro_batch: unknown key \"x\"\n"
          "  no key is expected here");
  REQUIRE(set_error("runtime/torchcompile=1") ==
          "--set runtime/torchcompile=1: at /runtime: unknown key \"torchcompile\"\n"
          "  expected keys: caveats, comment, expandable_segments, kernel_fusion, launch_blocking, "
          "source, title, torch_compile\n"
          "  hint: did you mean \"torch_compile\"?");
}

TEST_CASE("settings: what is no setting is refused", "[scenarios]") {
  for (const std::string setting : {"plan", "=3"}) {
    REQUIRE(set_error(setting) == "--set " + setting +
                                      ": at /: expected PATH=VALUE\n"
                                      "  hint: as in --set plan/tensor_parallel=4");
  }
  REQUIRE(set_error("plan={\"tensor_parallel\": ") ==
          "--set plan={\"tensor_parallel\": : at line 1, column 21: not valid JSON: unexpected end "
          "of input; expected '[', '{', or a literal\n"
          "  near \"{\\\"tensor_parallel\\\": \"");
}

TEST_CASE("settings: a value that is not UTF-8 is refused", "[scenarios]") {
  REQUIRE(set_error("title=a\xff") == "--set title=a\xff: at /: the value is not UTF-8 text");
}

TEST_CASE("settings: an error says what was set", "[scenarios]") {
  REQUIRE(set_error("batch/global_batch=NaN") ==
          "scenario.json: at /batch/global_batch: found \"NaN\", expected a whole number\n"
          "  with --set batch/global_batch=NaN");
  REQUIRE_THAT(text_error(small_scenario(), with({"plan/tensor_parallel=4", "cluster/nodes=2"})),
               Catch::StartsWith("scenario.json: at /cluster: 2 nodes need a fabric\n"
                                 "  with --set plan/tensor_parallel=4 --set cluster/nodes=2\n"
                                 "  hint: \"fabric\" is one of efa_p4d, efa_p5, "));
}

}  // namespace stepcast
