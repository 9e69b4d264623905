// From another program's files to an answer, as a new user goes.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/run_program.h"

using namespace stepcast;
using test::ProgramEnd;
using test::run_program;
using test::TemporaryFolder;

namespace {

constexpr const char* config = R"({
  "model_type": "llama", "hidden_size": 2048, "intermediate_size": 8192,
  "max_position_embeddings": 2048, "num_attention_heads": 32, "num_hidden_layers": 16,
  "num_key_value_heads": 8, "vocab_size": 32000, "rope_theta": 10000.0})";

}  // namespace

TEST_CASE("a config.json becomes a comparison of 4 and 8 nodes in two commands", "[cli]") {
  const TemporaryFolder folder;
  const std::string mine = folder.path("mine.json");
  const ProgramEnd import =
      run_program({"import", folder.write("config.json", config), "--node", "dgx_a100_80gb",
                   "--fabric", "hdr_rail", "--nodes", "4,8", "-o", mine});
  REQUIRE(import.exit_code == 0);
  CHECK(import.output.empty());
  CHECK_THAT(import.errors, Catch::Contains("assumed: batch.global_batch 2048, 4 Mi tokens"));
  CHECK_THAT(import.errors, Catch::Contains("without effect on time or memory: rope_theta"));

  const ProgramEnd compare = run_program({"compare", mine, "--search", "--format", "json"});
  REQUIRE(compare.exit_code == 0);
  CHECK_THAT(compare.output,
             Catch::Contains("mine (nodes 4)") && Catch::Contains("mine (nodes 8)"));
}

TEST_CASE("an import that cannot run leaves no file: exit 2 and the place", "[cli]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("config.json", config);
  const std::string mine = folder.path("mine.json");
  const ProgramEnd end = run_program({"import", file, "--node", "dgx_a100_80gb", "--nodes", "1",
                                      "--set", "plan.tensor_parallel=3", "--out", mine});
  CHECK(end.exit_code == 2);
  CHECK(end.output.empty());
  CHECK_THAT(end.errors, Catch::Contains("at /plan: the plan needs a multiple of 3 GPUs"));
  CHECK(test::text_of(mine).empty());

  const ProgramEnd nowhere = run_program({"import", file, "--nodes", "4"});
  CHECK(nowhere.exit_code == 2);
  CHECK_THAT(nowhere.errors, Catch::Contains("does not say cluster.node"));
}

TEST_CASE("an exported script imports to the scenario that it was, by its files", "[cli]") {
  const TemporaryFolder folder;
  const std::string script = folder.path("train.sh");
  const ProgramEnd exported = run_program(
      {"export", "scenarios/guide/65b_8_nodes.json", "--to", "megatron", "--out", script});
  REQUIRE(exported.exit_code == 0);
  CHECK_THAT(exported.errors,
             Catch::Contains("not carried over to megatron: ") && Catch::Contains("cluster.node"));
  const ProgramEnd imported = run_program({"import", script});
  REQUIRE(imported.exit_code == 0);
  CHECK(imported.errors.empty());
  CHECK(nlohmann::json::parse(imported.output)["claimed"]["tokens_per_s"] == 6200);
}

TEST_CASE("a suite is nothing to export: exit 2", "[cli]") {
  const ProgramEnd end = run_program({"export", "scenarios/guide/30b_techniques.json"});
  CHECK(end.exit_code == 2);
  CHECK(end.output.empty());
  CHECK_THAT(end.errors, Catch::Contains("the suite has 17 runs, an export is of one"));
}
