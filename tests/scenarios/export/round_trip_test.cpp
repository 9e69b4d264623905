// What was exported and imported again is the scenario that it was.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "scenarios/catalogue.h"
#include "scenarios/export/exported.h"
#include "scenarios/export/scenario_rest.h"
#include "scenarios/import/imported.h"
#include "tests/support/small_scenario.h"

using namespace stepcast;
using nlohmann::json;

namespace {

Scenario imported_again(const std::string& name, const Exported& exported) {
  const test::TemporaryFolder folder;
  const std::string file = folder.write(name, exported.text);
  const ImportedScenario imported = import_scenario({read_foreign_file(file)}, {});
  return scenarios_from_json(*imported.scenario, file, {}).front();
}

void check_round_trip(const Scenario& scenario) {
  const json whole = whole_scenario(scenario);
  CHECK(whole_scenario(imported_again("run.sh", megatron_script(scenario))) == whole);
  CHECK(whole_scenario(imported_again("ds_config.json", deepspeed_config(scenario))) == whole);
}

bool holds(const std::vector<std::string>& keys, const std::string& key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

}  // namespace

TEST_CASE("every model of the catalogue comes back as it was exported", "[scenarios][contract]") {
  for (const std::string& name : Catalogue(catalogue_folder()).names("models")) {
    INFO(name);
    const Scenario scenario = test::read_text(test::small_scenario(
        R"({"model": ")" + name + R"(", "plan": null, "batch": {"sequence_length": 2048}})"));
    check_round_trip(scenario);
    CHECK_FALSE(holds(megatron_script(scenario).not_carried, "model"));
  }
}

TEST_CASE("every plan of the guide comes back as it was exported", "[scenarios][contract]") {
  int plans = 0;
  for (const std::string& file : scenario_files("scenarios/guide")) {
    for (const Scenario& scenario : read_scenarios(file, {})) {
      INFO(file << ": " << scenario.title);
      check_round_trip(scenario);
      ++plans;
    }
  }
  CHECK(plans > 20);
}

TEST_CASE("the 65B plan of the guide is arguments, all of it", "[scenarios]") {
  const Scenario scenario = read_scenarios("scenarios/guide/65b_8_nodes.json", {}).front();
  const Exported exported = megatron_script(scenario);
  for (const char* argument :
       {"--num-layers 80", "--hidden-size 8192", "--tensor-model-parallel-size 4",
        "--pipeline-model-parallel-size 2", "--sequence-parallel", "--use-distributed-optimizer",
        "--recompute-granularity selective", "--global-batch-size 512", "--swiglu", "--bf16",
        "--nnodes 8 --nproc_per_node 8", "--train-samples 683593750"}) {  // 1.4e12 / 2048
    CHECK_THAT(exported.text, Catch::Contains(argument));
  }
  for (const std::string& key : exported.not_carried) {
    INFO(key);
    CHECK_FALSE((key.starts_with("plan") || key == "model" || key.starts_with("batch")));
  }
}

TEST_CASE("what no argument says is named, and comes back", "[scenarios]") {
  const Scenario scenario = test::read_text(test::small_scenario(
      R"({"plan": {"gradient_compression": "int8"}, "optimizer": "adafactor"})"));
  const Exported exported = megatron_script(scenario);
  CHECK(holds(exported.not_carried, "plan.gradient_compression"));
  CHECK(holds(exported.not_carried, "optimizer"));
  CHECK(holds(exported.not_carried, "cluster.node"));
  check_round_trip(scenario);
}

TEST_CASE("an argument changed by hand counts", "[scenarios]") {
  Exported exported =
      megatron_script(read_scenarios("scenarios/guide/65b_8_nodes.json", {}).front());
  const std::string before = "--global-batch-size 512";
  exported.text.replace(exported.text.find(before), before.size(), "--global-batch-size 1024");
  CHECK(imported_again("run.sh", exported).job.batch.global_batch == 1024);
}
