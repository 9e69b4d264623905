#include "calibration/measured_runs.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "tests/support/small_scenario.h"

using namespace stepcast;

namespace {

MeasuredRun run_of(const std::string& suite, int micro_batch, int layers) {
  const std::string patch = R"({"model": {"num_layers": )" + std::to_string(layers) +
                            R"(}, "batch": {"global_batch": 64, "micro_batch": )" +
                            std::to_string(micro_batch) + R"(}, "measured": {"step_time": "1 s"}})";
  Scenario scenario = test::read_text(test::small_scenario(patch));
  return {std::move(scenario), suite, 1_s};
}

std::vector<MeasuredRun> sixteen_runs() {
  std::vector<MeasuredRun> runs;
  for (const std::string suite : {"a", "b"}) {
    for (const int micro_batch : {1, 2, 4, 8}) {
      for (const int layers : {4, 8}) runs.push_back(run_of(suite, micro_batch, layers));
    }
  }
  return runs;
}

}  // namespace

TEST_CASE("halves are of one size in every suite, and near duplicates stay together",
          "[calibration]") {
  const auto seed = GENERATE(as<std::uint64_t>(), 1, 2, 3, 99);
  std::vector<MeasuredRun> runs = sixteen_runs();
  deal_halves(runs, seed);
  std::map<std::string, int> fitted;
  std::map<std::pair<std::string, int>, std::set<bool>>
      halves;  // of runs that differ in depth only
  for (const MeasuredRun& run : runs) {
    fitted[run.suite] += run.fits ? 1 : 0;
    halves[{run.suite, run.scenario.job.batch.micro_batch}].insert(run.fits);
  }
  REQUIRE(fitted["a"] == 4);
  REQUIRE(fitted["b"] == 4);
  for (const auto& [group, sides] : halves) REQUIRE(sides.size() == 1);
}

TEST_CASE("the same seed deals the same halves, another seed others", "[calibration]") {
  const auto dealt = [](std::uint64_t seed) {
    std::vector<MeasuredRun> runs = sixteen_runs();
    deal_halves(runs, seed);
    std::vector<bool> sides;
    for (const MeasuredRun& run : runs) sides.push_back(run.fits);
    return sides;
  };
  REQUIRE(dealt(1) == dealt(1));
  std::set<std::vector<bool>> different;
  for (const std::uint64_t seed : {1, 2, 3, 4, 5, 6}) different.insert(dealt(seed));
  REQUIRE(different.size() > 1);
}

TEST_CASE("a suite of n runs weighs as sqrt(n), small ones in full", "[calibration]") {
  REQUIRE(suite_weight(4) == 1);
  REQUIRE(suite_weight(25) == 1);
  REQUIRE(100 * suite_weight(100) == Approx(2 * 25 * suite_weight(25)));
}

TEST_CASE("a measured throughput counts as a step time", "[calibration]") {
  // 16 sequences of 128 tokens at 1,024 tokens/s.
  const Scenario scenario = test::read_text(
      test::small_scenario(R"({"measured": {"tokens_per_s": 1024, "source": "a log"}})"));
  REQUIRE(measured_step_time(scenario) == 2_s);
  REQUIRE_FALSE(measured_step_time(test::read_text(test::small_scenario())));
}
