#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "models/profile_constants.h"
#include "tests/base/error_text.h"
#include "tests/models/read_json.h"

using namespace stepcast;

namespace {

const std::string network_json = R"({
  "nccl_version": "2.18",
  "latency_factor": {"value": 2.4, "spread": 0.2, "fitted_to": "all-reduce sweeps"},
  "intra_latency_factor": {"value": 1},
  "bandwidth_factor": {"value": 0.9},
  "launch": {"value": "5 us"},
  "shared_launch": {"value": "4 us"}
})";

std::string network_error(const std::string& patch) {
  nlohmann::json json = nlohmann::json::parse(network_json);
  json.merge_patch(nlohmann::json::parse(patch));
  return error_text([&] { read_value<NetworkProfile>(json); });
}

}  // namespace

TEST_CASE("a constant is read with its spread and what it was fitted to", "[models]") {
  const auto network = read_text<NetworkProfile>(network_json);
  REQUIRE(network.latency_factor.value == 2.4);
  REQUIRE(network.latency_factor.spread == 0.2);
  REQUIRE(network.latency_factor.fitted_to == "all-reduce sweeps");
  REQUIRE(network.launch.value == 5_us);
  REQUIRE(network.launch.spread == 0.0);
  REQUIRE(network.ll128);
}

TEST_CASE("a missing constant is an error, not zero", "[models]") {
  REQUIRE(network_error(R"({"launch": null})") ==
          "x.json: at /: the key \"launch\" is missing\n"
          "  launch: added to each collective");
}

TEST_CASE("constants of an unknown NCCL are an error", "[models]") {
  REQUIRE(network_error(R"({"nccl_version": "3.0"})") ==
          "x.json: at /nccl_version: no constants of NCCL \"3.0\"\n"
          "  hint: such as \"2.18\"; the nearest known release at or below it is taken");
}

TEST_CASE("a profile that is written reads back to the same", "[models]") {
  auto gpu = from_catalogue<GpuProfile>("profiles/gpu", "h100");
  const auto json = write_fields([&](Fields& f) { describe(f, gpu); }, true);
  auto again = read_value<GpuProfile>(json);
  REQUIRE(write_fields([&](Fields& f) { describe(f, again); }, true) == json);
}

TEST_CASE("every GPU profile of the catalogue is physical and says what it was fitted to",
          "[models]") {
  const std::string name =
      GENERATE("a100", "a100_pcie", "h100", "h100_hbm2e", "h200", "b200", "v100");
  CAPTURE(name);
  const auto gpu = from_catalogue<GpuProfile>("profiles/gpu", name);
  for (const Fitted<double>* share :
       {&gpu.gemm.peak_share, &gpu.gemm.bandwidth_share, &gpu.attention.flash_peak_share,
        &gpu.memory_bound.bandwidth_share, &gpu.sustained_clock, &gpu.attention.flash1_rate}) {
    REQUIRE(share->value > 0);
    REQUIRE(share->value <= 1);
    REQUIRE(share->spread > 0);
    REQUIRE_FALSE(share->fitted_to.empty());
  }
  for (const Fitted<double>* factor :
       {&gpu.gemm.weight_gradient_slowdown, &gpu.gemm.misaligned_slowdown,
        &gpu.attention.flash3_rate, &gpu.attention.unfused_softmax_slowdown}) {
    REQUIRE(factor->value >= 1);
    REQUIRE_FALSE(factor->fitted_to.empty());
  }
}

TEST_CASE("a profile's constants are a table by their path in its JSON", "[models]") {
  Profile profile;
  profile.gpu.gemm.peak_share = {0.8, 0.05, "a table"};
  profile.framework.host.step = {3_ms, 0.5, {}};
  const std::vector<ConstantRef> constants = constants_of(profile);
  const auto named = [&](std::string_view path) {
    const auto place = std::find_if(constants.begin(), constants.end(),
                                    [&](const ConstantRef& c) { return c.path() == path; });
    REQUIRE(place != constants.end());
    return *place;
  };
  REQUIRE(named("gpu/gemm/peak_share").value() == 0.8);
  REQUIRE(named("gpu/gemm/peak_share").spread() == 0.05);
  REQUIRE(named("gpu/gemm/peak_share").fitted_to() == "a table");
  REQUIRE(named("framework/host/step").value() == 3e-3);
  named("framework/host/step").set_value(4e-3);
  REQUIRE(profile.framework.host.step.value == 4_ms);
  REQUIRE(named("network/latency_factor").value() == 0);
  named("framework/memory/context").set_value(1e9);
  REQUIRE(profile.framework.memory.context.value == 1_GB);
}
