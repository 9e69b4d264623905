// The published runs that the model is judged by, where they are at hand.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "scenarios/scenario.h"

namespace stepcast {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> measured_suites() {
  std::vector<std::string> files;
  std::error_code error;
  const fs::path folder = "../shared/data/runs";
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  }
  return files;
}

}  // namespace

TEST_CASE("measured runs: all are read", "[scenarios]") {
  const std::vector<std::string> suites = measured_suites();
  if (suites.empty()) {
    WARN("no measured runs beside the source tree: nothing to read");
    return;
  }
  std::size_t read = 0;
  std::string refused;
  for (const std::string& suite : suites) {
    const SuiteReading reading = read_suite(suite, {});
    read += reading.scenarios.size();
    for (const ScenarioFault& fault : reading.faults) {
      refused += fault.message + "\n";
    }
  }
  REQUIRE(refused.empty());
  REQUIRE(read == 2477);
}

}  // namespace stepcast
