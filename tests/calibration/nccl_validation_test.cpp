#include "calibration/nccl_validation.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/input_error.h"
#include "tests/support/small_scenario.h"

namespace stepcast {
namespace {

using Catch::Matchers::Contains;

std::string log_of(const std::string& rows) {
  return "# collective: allreduce\n"
         "# size count type redop root time algbw busbw #wrong time algbw busbw #wrong\n" +
         rows;
}

std::string row(double size, double microseconds) {
  return std::to_string(static_cast<long>(size)) + " 1 float sum -1 " +
         std::to_string(microseconds) + " 0 0 0 1.0 0 0 0\n";
}

const std::string one_node = R"({ "node": "dgx_a100_80gb", "nodes": 1 })";

NcclValidation validate(const std::string& path) {
  return validate_nccl(std::vector<std::string>{path}, "");
}

std::string refusal(const std::string& path) {
  try {
    validate(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "judged without complaint";
}

}  // namespace

TEST_CASE(
    "figures of a log: medians and 90 % quantiles of the errors' sizes, over all rows and "
    "from 1 MiB on",
    "[calibration]") {
  const NcclLogErrors log{"log",
                          GpuArchitecture::Ampere,
                          {{1_KiB, 10_us, 5_us},    // -50 %
                           {1_MiB, 10_us, 12_us},   // +20 %
                           {2_MiB, 10_us, 9_us}}};  // -10 %
  const NcclErrorFigures figures = log.figures();
  CHECK(*figures.median_error == Approx(0.2));
  CHECK(*figures.p90_error == Approx(0.44));  // 0.8 of the way from 20 to 50 %
  CHECK(*figures.median_error_1mib == Approx(0.15));
  CHECK(*figures.p90_error_1mib == Approx(0.19));
  const NcclErrorFigures over = figures_over_logs(std::vector{log, log});
  CHECK(*over.median_error == Approx(0.2));
  CHECK(*over.median_error_1mib == Approx(0.15));
}

TEST_CASE("logs are judged by their entry in clusters.json, those without are skipped",
          "[calibration]") {
  const test::TemporaryFolder folder;
  folder.write("a.txt", log_of(row(0, 9) + row(1048576, 50) + row(1048576, 100)));
  folder.write("b.txt", log_of(row(8, 9)));
  folder.write("clusters.json", R"({ "a": )" + one_node + "}");
  const NcclValidation validation = validate(folder.path(""));
  REQUIRE(validation.logs.size() == 1);
  const auto& rows = validation.logs[0].rows;
  REQUIRE(rows.size() == 2);  // a row of 0 bytes sends nothing
  CHECK(rows[0].predicted == rows[1].predicted);
  CHECK(rows[0].measured == 50_us);
  CHECK(validation.skipped == std::vector<std::string>{"b"});
}

TEST_CASE("where one process drives all GPUs a collective takes no less than its launches",
          "[calibration]") {
  const test::TemporaryFolder folder;
  folder.write("one.txt", log_of(row(8, 35)));
  folder.write("clusters.json",
               R"({ "one": { "node": "dgx_a100_80gb", "nodes": 1, "processes": "one" } })");
  // 8 launches of 4.3 us, as the built-in profile of the network has it
  CHECK(validate(folder.path("")).logs.at(0).rows.at(0).predicted.value() == Approx(34.4e-6));
}

TEST_CASE("a log in a folder that cannot be judged does not keep the others from it",
          "[calibration]") {
  const test::TemporaryFolder folder;
  folder.write("good.txt", log_of(row(8, 9)));
  folder.write("cut.txt", log_of("1048576 262144 flo"));
  folder.write("unknown.txt", log_of(row(8, 9)));
  folder.write("ranks.txt", "# Rank 15 Pid 7 on a device 7\n" + log_of(row(8, 9)));
  folder.write("clusters.json", R"({ "good": )" + one_node + R"(, "cut": )" + one_node +
                                    R"(, "ranks": )" + one_node +
                                    R"(, "unknown": { "node": "dgx_a1000", "nodes": 1 } })");
  const NcclValidation validation = validate(folder.path(""));
  CHECK(validation.logs.size() == 1);
  REQUIRE(validation.faults.size() == 3);
  CHECK_THAT(validation.faults[0].message, Contains("cut.txt: at line 3: the row has 3 columns"));
  CHECK_THAT(validation.faults[1].message,
             Contains("the log lists 16 ranks, its cluster has 8 GPUs"));
  CHECK_THAT(validation.faults[2].message, Contains("at /unknown/node"));
  CHECK_THAT(refusal(folder.path("cut.txt")), Contains("cut.txt: at line 3"));
}

TEST_CASE("what is wrong beside the logs is told", "[calibration]") {
  const test::TemporaryFolder folder;
  CHECK_THAT(refusal(folder.path("")), Contains("the folder holds no *.txt or *.log"));
  folder.write("a.txt", log_of(row(8, 9)));
  CHECK_THAT(refusal(folder.path("")), Contains("clusters.json: at /: there is no such file"));
  CHECK_THAT(refusal(folder.path("none.txt")), Contains("none.txt: at /: there is no such file"));
  folder.write("clusters.json", "[]");
  CHECK_THAT(refusal(folder.path("")), Contains("expected an object with a key for each log"));
  folder.write("clusters.json", "{}");
  CHECK_THAT(refusal(folder.path("")), Contains("clusters.json names none of the logs"));
  folder.write("clusters.json", R"({ "a": { "node": "dgx_a100_80gb", "nodes": 2 } })");
  CHECK_THAT(refusal(folder.path("")), Contains("at /a: 2 nodes need a fabric"));
  folder.write("clusters.json",
               R"({ "a": { "node": "dgx_a100_80gb", "nodes": 1, "nccl_version": "3" } })");
  CHECK_THAT(refusal(folder.path("")), Contains("at /a/nccl_version: \"3\" is no version of NCCL"));
}

}  // namespace stepcast
