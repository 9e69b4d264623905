#include "calibration/nccl_facts.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text_file.h"
#include "calibration/user_files.h"
#include "tests/base/error_text.h"

namespace stepcast {
namespace {

using Catch::Matchers::Contains;

constexpr const char* examples = "docs/examples/calibration/";

Scenario scenario_with(std::vector<std::string> settings) {
  ReadOptions options;
  options.settings = std::move(settings);
  return read_scenarios(std::string(examples) + "scenario.json", options).front();
}

NcclInfoLog example_log() { return read_nccl_info(std::string(examples) + "nccl_info.txt"); }

std::string all_of(const std::vector<std::string>& findings) {
  std::string text;
  for (const std::string& finding : findings) text += finding + "\n";
  return text;
}

TEST_CASE("a log of NCCL's chooses the version, and says what it found", "[calibration]") {
  const NcclFacts facts = nccl_facts(example_log(), scenario_with({}));
  CHECK(facts.choice.version == "2.18.5");
  CHECK_FALSE(facts.choice.algorithm);
  const std::string found = all_of(facts.findings);
  CHECK_THAT(found, Contains("NCCL 2.18.5: its tuner is taken"));
  CHECK_THAT(found, Contains("8 NICs on a node, 8 in the scenario"));
  CHECK_THAT(found, Contains("16 of 16 connections between nodes reach GPUs directly"));
  CHECK_THAT(found, Contains("16 channels over 16 ranks"));
}

TEST_CASE("a log of NCCL's that contradicts the scenario is refused", "[calibration]") {
  const NcclInfoLog log = example_log();
  const auto refusal = [&](std::vector<std::string> settings) {
    return error_text([&] { nccl_facts(log, scenario_with(std::move(settings))); });
  };
  CHECK_THAT(refusal({"nccl.version=\"2.26\""}),
             Contains("nccl_info.txt") && Contains("NCCL 2.18.5 ran, the scenario says 2.26"));
  CHECK_THAT(refusal({"cluster.nodes=1", "plan.data_parallel=4"}),
             Contains("a communicator has 16 ranks") && Contains("the scenario says 8 GPUs"));
  NcclInfoLog sockets = log;
  sockets.network = "Socket";
  CHECK_THAT(error_text([&] { nccl_facts(sockets, scenario_with({})); }),
             Contains("NCCL used the network Socket, the scenario says a fabric that is none"));
  NcclInfoLog few = log;
  few.nics = 4;
  CHECK_THAT(error_text([&] { nccl_facts(few, scenario_with({})); }),
             Contains("NCCL found 4 NICs on a node, the scenario says 8"));
}

TEST_CASE("a version that the scenario states less exactly is no contradiction", "[calibration]") {
  CHECK(nccl_facts(example_log(), scenario_with({"nccl.version=\"2.18\""})).choice.version ==
        "2.18.5");
}

TEST_CASE("what NCCL was forced to, and fewer channels, become keys of the scenario",
          "[calibration]") {
  NcclInfoLog log = example_log();
  log.environment["NCCL_ALGO"] = "Ring";
  for (NcclCommunicator& one : log.communicators) one.channels = 4;
  const NcclFacts facts = nccl_facts(log, scenario_with({}));
  CHECK(facts.choice.algorithm == Algorithm::Ring);
  CHECK(facts.choice.channels == 4);
  CHECK_THAT(error_text([&] { nccl_facts(log, scenario_with({"nccl.algorithm=\"tree\""})); }),
             Contains("NCCL_ALGO was ring, the scenario says tree"));
}

// What mpirun gathers when NCCL_DEBUG=INFO was set for a program of nccl-tests: NCCL's lines, each
// with the rank's prefix, where the table's first row waits for its times.
std::string table_with_nccl_lines(const std::filesystem::path& folder) {
  std::istringstream table(read_text_file(std::string(examples) + "all_reduce.txt"));
  std::istringstream nccl(read_text_file(std::string(examples) + "nccl_info.txt"));
  const std::string file = (folder / "stepcast_mixed_log.txt").string();
  std::ofstream mixed(file);
  bool inserted = false;
  for (std::string row; std::getline(table, row);) {
    if (row.find("NCCL INFO") != std::string::npos) continue;
    mixed << row << "\n";
    if (inserted || row.find(" float ") == std::string::npos) continue;
    for (std::string line; std::getline(nccl, line);) mixed << "[1,0]<stdout>:" << line << "\n";
    inserted = true;
  }
  return file;
}

TEST_CASE("NCCL's lines between the rows of a table say what those of a file of their own do",
          "[calibration]") {
  UserFiles files;
  files.scenario = std::string(examples) + "scenario.json";
  files.nccl_logs = {table_with_nccl_lines(std::filesystem::temp_directory_path())};
  const UserMeasurements measured = read_user_files(files);
  CHECK(measured.reference.profile.network.nccl.version == "2.18.5");
  REQUIRE(measured.inputs.size() == 1);
  CHECK(measured.inputs[0].rows_used == 46);
  std::vector<std::string> sentences;
  for (const CalibrationFinding& finding : measured.inputs[0].findings)
    sentences.push_back(finding.finding);
  CHECK(all_of(sentences) == all_of(nccl_facts(example_log(), scenario_with({})).findings));
  files.settings = {"nccl.version=\"2.26\""};
  CHECK_THAT(error_text([&] { read_user_files(files); }),
             Contains("mixed_log.txt") && Contains("NCCL 2.18.5 ran, the scenario says 2.26"));
  files.settings = {"cluster.fabric=ethernet_100g"};
  CHECK_THAT(error_text([&] { read_user_files(files); }), Contains("NCCL used the network IB"));
  std::filesystem::remove(files.nccl_logs.front());
}

TEST_CASE("calibrate takes a log of NCCL's beside a table of nccl-tests, and none alone",
          "[calibration]") {
  UserFiles files;
  files.scenario = std::string(examples) + "scenario.json";
  files.nccl_logs = {std::string(examples) + "all_reduce.txt",
                     std::string(examples) + "nccl_info.txt"};
  const UserMeasurements measured = read_user_files(files);
  REQUIRE(measured.reference.nccl);
  CHECK(measured.reference.profile.network.nccl.version == "2.18.5");
  REQUIRE(measured.inputs.size() == 2);
  CHECK(measured.inputs[0].format == "NCCL_DEBUG=INFO");
  files.nccl_logs = {std::string(examples) + "nccl_info.txt"};
  CHECK_THAT(error_text([&] { read_user_files(files); }),
             Contains("hold nothing that was measured"));
}

}  // namespace
}  // namespace stepcast
