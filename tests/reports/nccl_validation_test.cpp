#include "reports/nccl_validation.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace stepcast {
namespace {

NcclValidation two_logs() {
  NcclValidation validation;
  validation.logs = {{"a", GpuArchitecture::Ampere, {{1_KiB, 10_us, 15_us}, {1_MiB, 20_us, 18_us}}},
                     {"b", GpuArchitecture::Hopper, {{4_KiB, 10_us, 12_us}}}};
  validation.skipped = {"c"};
  validation.faults = {{"d", "d.txt: at line 3: the row has 2 columns"}};
  return validation;
}

}  // namespace

TEST_CASE("nccl validation as JSON: figures of logs, of architectures and of all", "[reports]") {
  const nlohmann::ordered_json json = nccl_validation_json(two_logs());
  CHECK(json["logs"][0]["name"] == "a");
  CHECK(json["logs"][0]["median_error"].get<double>() == Approx(0.3));  // of 50 % and 10 %
  CHECK(json["logs"][0]["median_error_1mib"].get<double>() == Approx(0.1));
  CHECK(json["logs"][0]["rows"][1]["predicted_s"].get<double>() == Approx(18e-6));
  CHECK(json["logs"][1]["median_error_1mib"].is_null());
  CHECK(json["median_error"].get<double>() == Approx(0.25));  // of 30 % and 20 %
  CHECK(json["p90_error"].get<double>() == Approx(0.29));
  CHECK(json["median_error_1mib"].get<double>() == Approx(0.1));
  CHECK(json["architectures"]["hopper"]["median_error"].get<double>() == Approx(0.2));
  CHECK(json["skipped"][0] == "c");
  CHECK(json["errors"][0]["name"] == "d");
}

TEST_CASE("nccl validation as CSV: a line for each row", "[reports]") {
  CHECK(nccl_validation_csv(two_logs()) ==
        "log,size_bytes,measured_s,predicted_s,error\n"
        "a,1024,1e-05,1.5e-05,0.5\n"
        "a,1048576,2e-05,1.8e-05,-0.10000000000000009\n"
        "b,4096,1e-05,1.2e-05,0.19999999999999996\n");
}

TEST_CASE("nccl validation as text names logs without an answer and logs left out", "[reports]") {
  const std::string text = nccl_validation_text(two_logs());
  CHECK_THAT(text, Catch::Contains("  a     2        10 %"));
  CHECK_THAT(text, Catch::Contains("Skipped, not in clusters.json: 1 logs\nc\n"));
  CHECK_THAT(text, Catch::Contains("Without an answer: d\n  d.txt: at line 3"));
}

}  // namespace stepcast
