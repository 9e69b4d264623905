#include "scenarios/profile_choice.h"

#include <catch2/catch.hpp>

#include "tests/base/error_text.h"
#include "tests/support/small_scenario.h"

namespace stepcast {

namespace {

using test::read_text;
using test::small_scenario;
using test::TemporaryFolder;

double peak_share(const Scenario& scenario) { return scenario.profile.gpu.gemm.peak_share.value; }

Scenario calibrated(const std::string& calibration) {
  return read_text(small_scenario(R"({"calibration": )" + calibration + "}"));
}

}  // namespace

TEST_CASE("profile: chosen by GPU, network and framework", "[scenarios]") {
  const auto profile = [](const std::string& fabric) {
    return read_text(small_scenario(R"({"framework": "nanotron",
        "cluster": {"nodes": 2, "fabric": ")" +
                                    fabric + "\"}}"))
        .profile;
  };
  REQUIRE(profile("hdr_rail").gpu.name == "a100");
  REQUIRE(profile("hdr_rail").framework.name == "nanotron");
  REQUIRE(profile("hdr_rail").network.name == "infiniband");
  REQUIRE(profile("roce200_rail").network.name == "roce");
  REQUIRE(profile("efa_p4d").network.name == "efa");
  REQUIRE(profile("opa100_x4").network.name == "omni_path");
  REQUIRE(profile("ethernet_100g").network.name == "tcp");
}

TEST_CASE("profile: one node takes the constants of InfiniBand", "[scenarios]") {
  const Scenario scenario = read_text(small_scenario());
  REQUIRE(scenario.profile.network.name == "infiniband");
  REQUIRE(has_built_in_profile(scenario));
}

TEST_CASE("profile: a calibration changes the constants that it names", "[scenarios]") {
  const Scenario built_in = read_text(small_scenario());
  const Scenario changed = calibrated(R"({"gpu": {"gemm": {"peak_share": {"value": 0.5}}}})");
  REQUIRE(peak_share(changed) == 0.5);
  REQUIRE(changed.profile.gpu.gemm.peak_share.spread ==
          built_in.profile.gpu.gemm.peak_share.spread);
  REQUIRE(changed.profile.gpu.gemm.launch.value == built_in.profile.gpu.gemm.launch.value);
  REQUIRE(changed.profile.framework.name == "megatron");
  REQUIRE_FALSE(has_built_in_profile(changed));
}

TEST_CASE("profile: a calibration may start from another built-in profile", "[scenarios]") {
  const double share =
      peak_share(read_text(small_scenario(R"({"cluster": {"node": "dgx_h100_80gb"}})")));
  REQUIRE(peak_share(calibrated(R"({"gpu": "h100"})")) == share);
  REQUIRE(peak_share(calibrated(
              R"({"gpu": {"base": "h100", "gemm": {"launch": {"value": "1 us"}}}})")) == share);
}

TEST_CASE("profile: a calibration may be a file, and a file with changes", "[scenarios]") {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("mine.json", R"({"gpu": {"gemm": {"peak_share": {"value": 0.5},
                                            "launch": {"value": "7 us"}}}, "source": "a log"})");
  REQUIRE(peak_share(calibrated("\"" + file + "\"")) == 0.5);
  const Scenario changed = calibrated(R"({"base": ")" + file +
                                      R"(", "gpu": {"gemm": {"peak_share": {"value": 0.25}}}})");
  REQUIRE(peak_share(changed) == 0.25);
  REQUIRE(changed.profile.gpu.gemm.launch.value == 7_us);
}

TEST_CASE("profile: the profile file lies over the scenario's calibration", "[scenarios]") {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("profile.json", R"({"gpu": {"gemm": {"peak_share": {"value": 0.125}}}})");
  const std::string scenario = small_scenario(
      R"({"calibration": {"gpu": {"gemm": {"peak_share": {"value": 0.5},
                                            "launch": {"value": "7 us"}}}}})");
  const Scenario read = read_text(scenario, {.profile_file = file});
  REQUIRE(peak_share(read) == 0.125);
  REQUIRE(read.profile.gpu.gemm.launch.value == 7_us);
}

TEST_CASE("profile: a single constant may be set", "[scenarios]") {
  const Scenario read =
      read_text(small_scenario(), {.settings = {"calibration/gpu/gemm/peak_share/value=0.5"}});
  REQUIRE(peak_share(read) == 0.5);
}

TEST_CASE("profile: faults point at who made them", "[scenarios]") {
  const TemporaryFolder folder;
  const std::string unknown = folder.write("unknown.json", R"({"gpus": {}})");
  const std::string negative =
      folder.write("negative.json", R"({"gpu": {"gemm": {"peak_share": {"value": -1}}}})");
  const std::string list = folder.write("list.json", "[]");
  const auto with_file = [](const std::string& file) {
    return test::text_error(small_scenario(), {.profile_file = file});
  };
  REQUIRE(with_file(unknown) == unknown +
                                    ": at /: unknown key \"gpus\"\n"
                                    "  expected keys: gpu, network, framework\n"
                                    "  hint: did you mean \"gpu\"?");
  REQUIRE(with_file(negative) == negative +
                                     ": at /gpu/gemm/peak_share/value: found the number -1, "
                                     "expected at least 0");
  REQUIRE(with_file(list) ==
          list + ": at /: a calibration is an object with the keys gpu, network and framework");
  REQUIRE(with_file("no.json") == "no.json: at /: there is no such file");
  REQUIRE(test::text_error(small_scenario(
              R"({"calibration": {"gpu": {"gemm": {"peak_share": {"value": "much"}}}}})")) ==
          "scenario.json: at /calibration/gpu/gemm/peak_share/value: found \"much\", expected a "
          "number");
}

TEST_CASE("profile: a GPU without a profile is told where it is asked for", "[scenarios]") {
  const std::string error = test::text_error(small_scenario(
      R"({"cluster": {"node": {"base": "dgx_a100_80gb",
                               "gpu": {"base": "a100_sxm_80gb", "profile": "a1000"}}}})"));
  REQUIRE(
      error.starts_with("scenario.json: at /cluster/node/gpu/profile: no \"a1000\" in the "
                        "catalogue's profiles/gpu\n"));
}

}  // namespace stepcast
