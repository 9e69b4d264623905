#include "scenarios/confined.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/small_scenario.h"

using namespace stepcast;
using test::small_scenario;
using test::TemporaryFolder;

namespace {

const std::string small_model =
    R"({"num_layers": 4, "hidden_size": 512, "num_attention_heads": 8, "vocab_size": 1024})";

std::string naming(const std::string& model) {
  nlohmann::json scenario = nlohmann::json::parse(small_scenario());
  scenario["model"] = model;
  return scenario.dump();
}

std::string confined_error(const std::string& text, const std::string& folder) {
  try {
    read_confined(text, folder);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a confined scenario reads files of its folder and of the catalogue", "[scenarios]") {
  const TemporaryFolder folder;
  folder.write("given/parts/small.json", small_model);
  const std::string given = folder.path("given");
  REQUIRE(read_confined(naming("parts/small.json"), given).job.model.num_layers == 4);
  REQUIRE(read_confined(naming("../given/parts/small.json"), given).job.model.num_layers == 4);
  REQUIRE(read_confined(naming("llama_7b"), given).model_name == "llama_7b");
}

TEST_CASE("a confined scenario reads nothing else, by whatever way, there or not", "[scenarios]") {
  const TemporaryFolder folder;
  const std::string outside = folder.write("outside.json", small_model);
  const std::string given = folder.path("given");
  folder.write("given/away.json", R"({"base": "../outside.json"})");
  std::filesystem::create_symlink(outside, given + "/link.json");
  std::filesystem::create_symlink(folder.path(""), given + "/up");
  const std::string way = GENERATE("../outside.json", "link.json", "up/outside.json",
                                   "../not_there.json", "up/given/../outside.json");
  CHECK(confined_error(naming(way), given) ==
        "at /model: \"" + way +
            "\" leads out of the folder that may be read\n"
            "  hint: name a part of the catalogue, or a file of that folder");
  CHECK_THAT(confined_error(naming(outside), given), Catch::Contains("leads out of the folder"));
  // A file of the folder may not lead out either.
  CHECK_THAT(confined_error(naming("away.json"), given),
             Catch::Contains("away.json: at /base: \"../outside.json\" leads out of the folder"));
}

TEST_CASE("a folder whose name another's begins with is not that folder", "[scenarios]") {
  const TemporaryFolder folder;
  folder.write("given/x.json", small_model);
  folder.write("given_too/small.json", small_model);
  CHECK_THAT(confined_error(naming("../given_too/small.json"), folder.path("given")),
             Catch::Contains("leads out of the folder"));
}

TEST_CASE("an error in a confined scenario's own text names its place without a file",
          "[scenarios]") {
  const TemporaryFolder folder;
  CHECK_THAT(confined_error("{", folder.path("")), Catch::StartsWith("at line 1, column "));
  CHECK_THAT(
      confined_error(small_scenario(R"({"plan": {"tensor_parallel": 0}})"), folder.path("")),
      Catch::StartsWith("at /plan/tensor_parallel: found the number 0, expected at least 1"));
  CHECK_THAT(confined_error(R"({"schema": 1, "runs": []})", folder.path("")),
             Catch::Contains("unknown key \"runs\""));
}

TEST_CASE("written scenarios: a suite's runs stand with its defaults", "[scenarios]") {
  const TemporaryFolder folder;
  const std::string suite = folder.write("suite.json", R"({"schema": 1, "title": "two",
    "defaults": {"cluster": {"nodes": 2, "node": "dgx_a100_80gb"}},
    "runs": [{"title": "a"}, {"title": "b", "cluster": {"nodes": 4}}]})");
  const auto scenarios = written_scenarios(suite);
  REQUIRE(scenarios.size() == 2);
  CHECK(scenarios[0].title == "a");
  CHECK(nlohmann::json::parse(scenarios[0].json)["cluster"]["nodes"] == 2);
  CHECK(nlohmann::json::parse(scenarios[1].json)["cluster"]["nodes"] == 4);
  CHECK(nlohmann::json::parse(scenarios[1].json)["cluster"]["node"] == "dgx_a100_80gb");
}
