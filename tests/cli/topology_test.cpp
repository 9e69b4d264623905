// stepcast topology and validate --nccl as a user runs them.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "calibration/readers/nccl_tests.h"
#include "tests/cli/run_program.h"

namespace stepcast {
namespace {

using test::ProgramEnd;
using test::run_program;
using test::TemporaryFolder;

void require_wrong_input(const ProgramEnd& end, const std::string& message) {
  CHECK(end.exit_code == 2);
  CHECK(end.output == "");
  CHECK_THAT(end.errors, Catch::Contains(message));
}

const std::string two_gpus =
    "\tGPU0\tGPU1\tNIC0\tCPU Affinity\nGPU0\t X \tNV12\tPXB\t0-7\nGPU1\tNV12\t X \tPXB\t0-7\n"
    "NIC0\tPXB\tPXB\t X \n";

}  // namespace

TEST_CASE("topology import writes a node that predict takes", "[cli]") {
  const TemporaryFolder folder;
  const std::string node = folder.path("node.json");
  const ProgramEnd import = run_program({"topology", "import", folder.write("topo.txt", two_gpus),
                                         "--gpu", "a100_sxm_80gb", "--out", node});
  CHECK(import.exit_code == 0);
  CHECK_THAT(import.errors, Catch::Contains("2 GPUs a100_sxm_80gb; NICs: 1 under"));
  const auto json = nlohmann::json::parse(test::text_of(node));
  CHECK(json["interconnect"] == "nvlink_mesh");
  CHECK(json["gpus_per_pcie_switch"] == 2);
  const std::string scenario = folder.write("scenario.json", test::small_scenario());
  const ProgramEnd predict =
      run_program({"predict", scenario, "--set", "cluster.node=" + node, "--format", "json"});
  CHECK(predict.errors == "");
  CHECK(nlohmann::json::parse(predict.output)["engine"]["gpus"] == 2);
}

TEST_CASE("topology show counts links by kind and bandwidth, for people and for programs",
          "[cli]") {
  const std::vector<std::string> show{"topology", "show", "--node",   "dgx_a100_80gb",
                                      "--nodes",  "2",    "--fabric", "hdr_rail"};
  const ProgramEnd text = run_program(show);
  CHECK(text.exit_code == 0);
  CHECK_THAT(text.output, Catch::Contains("16 GPUs, 8 of each of 2 nodes"));
  std::vector<std::string> as_json = show;
  as_json.insert(as_json.end(), {"--format", "json"});
  const auto json = nlohmann::json::parse(run_program(as_json).output);
  CHECK(json["gpus"] == 16);
  CHECK(json["devices"]["nic"] == 16);
  // 16 GPUs with a cable to their NVSwitch, each a link in either direction.
  CHECK(json["link_classes"][0]["kind"] == "nvlink");
  CHECK(json["link_classes"][0]["links"] == 32);
  CHECK(json["node"]["devices"][0]["name"] == "node0/gpu0");
  CHECK(json["network"]["devices"][0]["kind"] == "node");
}

TEST_CASE("topology show refuses a cluster that is none, and a page that cannot be written",
          "[cli]") {
  require_wrong_input(run_program({"topology", "show"}), "there is no cluster");
  const TemporaryFolder folder;
  const std::string page = folder.path("no/such/folder/page.html");
  const ProgramEnd end =
      run_program({"topology", "show", "--node", "dgx_a100_80gb", "--report", page});
  CHECK(end.exit_code == 2);
  CHECK(end.output == "");
}

TEST_CASE("topology import refuses what is wrong, writes nothing, and names the line", "[cli]") {
  const TemporaryFolder folder;
  const auto import = [&](const std::string& text) {
    return run_program(
        {"topology", "import", folder.write("topo", text), "--out", folder.path("node.json")});
  };
  require_wrong_input(import("<system><cpu></system>"), "topo: at line 1: malformed XML");
  require_wrong_input(import("<system>\n<pci/></system>"), "the graph is not connected");
  require_wrong_input(import(""), "topo: at /: the file is empty");
  require_wrong_input(import(two_gpus + "NIC0 PXB\n"), "topo: at line 5: ");
  require_wrong_input(run_program({"topology", "import", folder.path("none")}),
                      "there is no such file");
  CHECK_FALSE(std::filesystem::exists(folder.path("node.json")));
}

TEST_CASE("topology collectives prints what nccl-tests' readers read", "[cli]") {
  const ProgramEnd end =
      run_program({"topology", "collectives", "--node", "dgx_a100_80gb", "--nodes", "2", "--fabric",
                   "hdr_rail", "--collective", "all_gather", "--sizes", "1M:4M"});
  REQUIRE(end.exit_code == 0);
  const NcclTestsLog log = parse_nccl_tests(end.output, "stdout");
  REQUIRE(log.tables.size() == 1);
  CHECK(log.tables[0].collective == "all_gather");
  REQUIRE(log.tables[0].rows.size() == 3);
  CHECK(log.tables[0].rows[2].size == 4_MiB);
  CHECK(log.tables[0].rows[2].out_of_place > log.tables[0].rows[0].out_of_place);
}

TEST_CASE("topology collectives: wrong options are told", "[cli]") {
  const auto collectives = [](std::vector<std::string> options) {
    options.insert(options.begin(), {"topology", "collectives"});
    return run_program(options);
  };
  require_wrong_input(collectives({}), "there is no cluster");
  require_wrong_input(collectives({"--node", "dgx_a100_81gb"}), "at /node: ");
  require_wrong_input(collectives({"--node", "dgx_a100_80gb", "--nodes", "2"}),
                      "2 nodes need a fabric");
  require_wrong_input(collectives({"--node", "dgx_a100_80gb", "--sizes", "8:4"}),
                      "\"8:4\" is no range of sizes");
  require_wrong_input(collectives({"--node", "dgx_a100_80gb", "--collective", "all_reduse"}),
                      "is no collective that is modelled");
  require_wrong_input(collectives({"--node", "dgx_a100_80gb", "--set", "nccl.protocol=ll"}),
                      "--set changes a scenario, --node is none");
}

TEST_CASE("topology explain calls a reduce what it was called", "[cli]") {
  const auto explain = [](std::vector<std::string> options) {
    options.insert(options.begin(),
                   {"topology", "explain", "--node", "dgx_a100_80gb", "--collective", "reduce"});
    return run_program(options).output;
  };
  CHECK_THAT(explain({}), Catch::StartsWith("reduce of 64 MiB, all GPUs"));
  CHECK(nlohmann::json::parse(explain({"--format", "json"}))["collective"] == "reduce");
}

TEST_CASE("validate --nccl judges a log, scenarios beside it are refused", "[cli]") {
  const TemporaryFolder folder;
  const std::string log = folder.write("log.txt",
                                       "# collective: allreduce\n"
                                       "1048576 262144 float sum -1 50.0 21 36 0 49.0 21 37 0\n");
  folder.write("clusters.json", R"({ "log": { "node": "dgx_a100_80gb", "nodes": 1 } })");
  const ProgramEnd end = run_program({"validate", "--nccl", log, "--format", "json"});
  REQUIRE(end.exit_code == 0);
  const auto json = nlohmann::json::parse(end.output);
  CHECK(json["logs"][0]["name"] == "log");
  CHECK(json["logs"][0]["rows"].size() == 1);
  CHECK(json["median_error_1mib"] == json["logs"][0]["median_error_1mib"]);
  require_wrong_input(run_program({"validate", log, "--nccl", log}), "one at a time");
  require_wrong_input(run_program({"validate"}), "there is nothing to validate");
  const std::string cut = folder.write("cut.txt", "1048576 262144 float sum\n");
  require_wrong_input(run_program({"validate", "--nccl", cut}),
                      "cut.txt: at line 1: the row has 4");
}

TEST_CASE("predict --links says what every link carries, JSON always does", "[cli]") {
  const TemporaryFolder folder;
  const std::string scenario =
      folder.write("scenario.json", test::small_scenario(R"({"plan": {"tensor_parallel": 8}})"));
  CHECK_THAT(run_program({"predict", scenario, "--links"}).output,
             Catch::Contains("What moves the bytes") && Catch::Contains("tensor communication"));
  const auto json =
      nlohmann::json::parse(run_program({"predict", scenario, "--format", "json"}).output);
  REQUIRE_FALSE(json["links"].empty());
  const auto& link = json["links"][0];
  CHECK(link["activity"] == "tensor_communication");
  CHECK(link["utilisation"].get<double>() ==
        Approx(link["carried_bytes"].get<double>() /
               (link["bandwidth_bytes_per_s"].get<double>() * json["step_time_s"].get<double>())));
}

}  // namespace stepcast
