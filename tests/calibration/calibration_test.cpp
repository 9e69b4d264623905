// The whole way from measurements to a profile, on measurements made by a profile that is known.
#include "calibration/calibration.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "calibration/calibration_file.h"
#include "calibration/drift.h"
#include "calibration/user_files.h"
#include "sim/predict.h"
#include "tests/base/error_text.h"

namespace stepcast {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::WithinRel;

constexpr const char* examples = "docs/examples/calibration/";

Scenario example_scenario() {
  return read_scenarios(std::string(examples) + "scenario.json", {}).front();
}

// All-reduces of 1 KiB to 4 GiB on the scenario's two nodes, as `truth` would take them.
std::vector<Evidence> rows_made_by(const Profile& truth) {
  NcclTestsLog log{"made.txt", {}, {{"all_reduce", 16, 16, {}}}};
  for (int i = 10; i <= 32; ++i) {
    log.tables[0].rows.push_back({Bytes(std::pow(2.0, i)), Seconds(1), std::nullopt, i});
  }
  std::vector<Evidence> rows = collective_evidence(log, example_scenario());
  for (Evidence& row : rows) row.measured = row.predict(truth);
  return rows;
}

TEST_CASE("collectives of a known profile give its predictions back", "[calibration]") {
  const Scenario scenario = example_scenario();
  Profile truth = scenario.profile;
  truth.network.latency_factor.value *= 1.3;
  truth.network.bandwidth_factor.value *= 0.9;
  truth.network.across_nodes.tree.ll128.latency.value = 1.2;
  const std::vector<Evidence> rows = rows_made_by(truth);
  const Calibration calibration = calibrate(scenario.profile, rows);
  for (const Evidence& row : rows) {
    CAPTURE(row.name);
    CHECK_THAT(row.predict(calibration.profile), WithinRel(row.measured, 0.05));
  }
  // Nothing was measured of kernels: their constants stay, and are listed as unknown.
  CHECK(calibration.profile.gpu.gemm.peak_share.value ==
        scenario.profile.gpu.gemm.peak_share.value);
  for (const CalibratedConstant& constant : calibration.record.constants) {
    if (constant.path.starts_with("gpu/")) CHECK(constant.prior_kept == 1.0);
  }
}

TEST_CASE("a step time that is 10 % slower moves what the step feels, and narrows its interval",
          "[calibration]") {
  Scenario scenario = example_scenario();
  const StepReport before = predict(scenario, {.engine = EngineChoice::Analytic});
  const Seconds measured = before.step_time * 1.1;
  const std::vector<Evidence> evidence(3, step_evidence(scenario, measured));
  Calibration calibration = calibrate(scenario.profile, evidence);
  calibration.record.layouts.push_back(layout_of(scenario));
  scenario.profile = calibration.profile;
  scenario.calibration = std::make_shared<CalibrationRecord>(calibration.record);
  const StepReport after = predict(scenario, {.engine = EngineChoice::Analytic});
  CHECK_THAT(after.step_time.value(), WithinRel(measured.value(), 0.02));
  CHECK(after.step_time_high / after.step_time_low < before.step_time_high / before.step_time_low);
  CHECK(after.warnings.empty());
  scenario.cluster.nodes = 4;
  scenario.job.plan.data_parallel = 16;
  const StepReport beyond = predict(scenario, {.engine = EngineChoice::Analytic});
  REQUIRE_FALSE(beyond.warnings.empty());
  CHECK_THAT(beyond.warnings.front(), Contains("4 nodes, 2 times the most that was measured (2)"));
}

TEST_CASE("kernels that a log of collectives says nothing of add nothing to the interval",
          "[calibration]") {
  Scenario scenario = example_scenario();
  const Calibration calibration = calibrate(scenario.profile, rows_made_by(scenario.profile));
  const auto width = [&](const CalibrationRecord& record) {
    scenario.calibration = std::make_shared<CalibrationRecord>(record);
    const StepReport report = predict(scenario, {.engine = EngineChoice::Analytic});
    return report.step_time_high / report.step_time_low;
  };
  CalibrationRecord without = calibration.record;
  std::erase_if(without.constants, [](const CalibratedConstant& constant) {
    return constant.path.starts_with("gpu/gemm/");
  });
  REQUIRE(without.constants.size() < calibration.record.constants.size());
  CHECK(width(calibration.record) == width(without));
  std::erase_if(without.constants, [](const CalibratedConstant& constant) {
    return constant.path == "gpu/sustained_clock";
  });
  CHECK(width(calibration.record) > width(without));
}

TEST_CASE("step times that miss on either side leave every constant, and say how they scatter",
          "[calibration]") {
  const Scenario scenario = example_scenario();
  const Seconds predicted = predict(scenario, {.engine = EngineChoice::Analytic}).step_time;
  std::vector<Evidence> evidence;
  for (const double factor : {0.93, 1.0, 1.06}) {
    evidence.push_back(step_evidence(scenario, predicted * factor));
  }
  const Calibration calibration = calibrate(scenario.profile, evidence);
  CHECK_FALSE(calibration.record.steps_moved);
  for (const CalibratedConstant& constant : calibration.record.constants) {
    CHECK(constant.prior_kept == 1.0);
    CHECK(constant.value == constant.prior);
  }
  for (const CalibrationResidual& residual : calibration.record.residuals) {
    CHECK(residual.after == residual.before);
  }
  CHECK(calibration.record.step_noise > 0);
}

TEST_CASE("a step time beside a log of collectives takes nothing from what the log says",
          "[calibration]") {
  const Scenario scenario = example_scenario();
  Profile truth = scenario.profile;
  truth.network.bandwidth_factor.value *= 0.8;
  std::vector<Evidence> evidence = rows_made_by(truth);
  const Calibration alone = calibrate(scenario.profile, evidence);
  evidence.push_back(step_evidence(scenario, Seconds(100)));
  const Calibration beside = calibrate(scenario.profile, evidence);
  CHECK(beside.profile.network.bandwidth_factor.value ==
        alone.profile.network.bandwidth_factor.value);
}

TEST_CASE("a profile file is read back by --profile, for its own GPU only", "[calibration]") {
  const Scenario scenario = example_scenario();
  Profile truth = scenario.profile;
  truth.network.bandwidth_factor.value *= 0.8;
  Calibration calibration = calibrate(scenario.profile, rows_made_by(truth));
  calibration.record.gpu = scenario.cluster.node.gpu.profile;
  calibration.record.network = scenario.profile.network.name;
  calibration.record.framework = "megatron";
  const std::string file =
      (std::filesystem::temp_directory_path() / "stepcast_calibration_test.json").string();
  std::ofstream(file) << calibration_file(calibration, scenario).dump(1);
  ReadOptions options;
  options.profile_file = file;
  const Scenario again = read_scenarios(std::string(examples) + "scenario.json", options).front();
  CHECK_THAT(again.profile.network.bandwidth_factor.value,
             WithinRel(calibration.profile.network.bandwidth_factor.value, 1e-9));
  REQUIRE(again.calibration != nullptr);
  CHECK(again.calibration_notes.empty());
  options.settings = {"cluster.node=\"dgx_h100_80gb\""};
  const Scenario other = read_scenarios(std::string(examples) + "scenario.json", options).front();
  REQUIRE(other.calibration_notes.size() == 1);
  CHECK_THAT(other.calibration_notes[0], Contains("calibrated on gpu a100"));
  std::filesystem::remove(file);
}

TEST_CASE("drift: the same cluster agrees, one at half the bandwidth does not", "[calibration]") {
  const Scenario scenario = example_scenario();
  Calibration calibration = calibrate(scenario.profile, rows_made_by(scenario.profile));
  std::vector<Evidence> today = rows_made_by(calibration.profile);
  for (std::size_t i = 0; i < today.size(); ++i) today[i].measured *= i % 2 == 0 ? 1.015 : 0.985;
  const DriftTest same = test_drift(today, calibration.profile, calibration.record);
  CHECK_FALSE(same.changed);
  CHECK(same.p_value > 0.01);
  Profile slow = calibration.profile;
  slow.network.bandwidth_factor.value /= 2;
  const DriftTest half = test_drift(rows_made_by(slow), calibration.profile, calibration.record);
  CHECK(half.changed);
  CHECK(half.p_value < 1e-6);
  CHECK(half.classes.front().name == "bandwidth between nodes");
  CHECK_THAT(half.classes.front().ratio, WithinRel(2.0, 0.05));
}

TEST_CASE("runs of several GPUs cannot make one profile", "[calibration]") {
  const std::string file =
      (std::filesystem::temp_directory_path() / "stepcast_two_gpus_test.json").string();
  std::ofstream(file) << R"({"schema": 1, "defaults": {"model": "llama_7b", "batch":
    {"global_batch": 64, "sequence_length": 2048}, "plan": {"zero_stage": 3},
    "measured": {"step_time": "5 s"}}, "runs": [
    {"title": "a", "cluster": {"node": "dgx_a100_80gb", "nodes": 1}},
    {"title": "b", "cluster": {"node": "dgx_h100_80gb", "nodes": 1}}]})";
  UserFiles files;
  files.suites = {file};
  CHECK_THAT(error_text([&] { read_user_files(files); }),
             Contains("/runs/1") && Contains("GPU profile is h100, that of others is a100"));
  std::filesystem::remove(file);
}

TEST_CASE("every example of a log is read and fitted to", "[calibration]") {
  UserFiles files;
  files.scenario = std::string(examples) + "scenario.json";
  files.nccl_logs = {std::string(examples) + "all_reduce.txt"};
  for (const char* log :
       {"megatron.log", "deepspeed.log", "mlperf.log", "kineto_trace.json", "nvidia_smi.csv"}) {
    files.train_logs.push_back(std::string(examples) + log);
  }
  files.kernel_tables = {std::string(examples) + "kernels.csv"};
  files.suites = {std::string(examples) + "suite.json"};
  const UserMeasurements measured = read_user_files(files);
  CHECK(measured.inputs.size() == 8);
  for (const CalibrationInput& input : measured.inputs) {
    CAPTURE(input.file);
    CHECK(input.rows_used > 0);
    CHECK_THAT(input.hash, Contains("fnv1a64:"));
  }
}

}  // namespace
}  // namespace stepcast
