// stepcast replay, as a new user runs it.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/cli/run_program.h"
#include "tests/support/chakra_traces.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

const TraceOfRank rank_trace{traced_compute(1, 3000),
                             traced_collective(2, chakra::ALL_REDUCE, 1000000, {1}),
                             with_number(traced_compute(3, 2000, {2}), "comm_priority", 1)};

ProgramEnd replay(const std::string& prefix, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"replay", "--et", prefix, "--node", "dgx_a100_80gb"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program(arguments);
}

}  // namespace

TEST_CASE("replay answers in text and JSON, with what is not carried over", "[cli]") {
  const TemporaryFolder folder;
  const std::string prefix = write_traces(folder, {rank_trace, rank_trace});
  const std::string trace = folder.path("steps.json");
  const ProgramEnd text = replay(prefix, {"--trace", trace});
  REQUIRE(text.errors == "");
  REQUIRE(text.exit_code == 0);
  CHECK_THAT(text.output, Catch::StartsWith("2 traced ranks on 1 x dgx_a100_80gb\n") &&
                              Catch::Contains("attributes that are not read: comm_priority"));
  CHECK_FALSE(nlohmann::json::parse(text_of(trace))["traceEvents"].empty());

  const auto json = nlohmann::json::parse(replay(prefix, {"--format", "json"}).output);
  double sum = 0;
  for (const auto& part : json["breakdown"]) sum += part.get<double>();
  CHECK(json["breakdown"]["compute_s"].get<double>() == Approx(5e-3));
  CHECK(json["step_time_s"].get<double>() == Approx(sum).epsilon(1e-9));
  CHECK(json["step_time_s"] > 5e-3);
}

TEST_CASE("files that are no whole trace of Chakra: one error, exit 2, nothing written", "[cli]") {
  const TemporaryFolder folder;
  const std::string whole = chakra_text(rank_trace);
  const std::string file = folder.path("run.0.et");
  const std::string trace = folder.path("steps.json");
  const auto check = [&](const std::string& text, const std::string& error) {
    folder.write("run.0.et", text);
    const ProgramEnd end = replay(folder.path("run"), {"--trace", trace});
    CHECK(end.exit_code == 2);
    CHECK(end.output == "");
    CHECK(end.errors == file + ": at " + error);
    CHECK_FALSE(std::filesystem::exists(trace));
  };
  const std::string foreign =
      "/: this is no execution trace of Chakra in protobuf\n"
      "  hint: chakra_converter makes one from PyTorch's; unpack what is packed\n";
  check(whole.substr(0, whole.size() - 3), "node number 3: the trace is cut off or broken here\n");
  check("{\"schema\": \"1.0.2-chakra.0.0.4\"}", foreign);
  check("", foreign);
  check(std::string("\x1f\x8b\x08\0\0\0", 6), foreign);
}

TEST_CASE("a run whose files are not all there, or more than the cluster's GPUs", "[cli]") {
  const TemporaryFolder folder;
  const ProgramEnd none = replay(folder.path("run"));
  CHECK(none.exit_code == 2);
  CHECK(none.errors == folder.path("run.0.et") +
                           ": at /: there is no such file\n"
                           "  0 files lie at " +
                           folder.path("run") +
                           ".N.et\n"
                           "  hint: --et gt names traces/gt.0.et, one file a rank, by traces/gt\n");
  const std::string prefix = write_traces(folder, std::vector<TraceOfRank>(9, rank_trace));
  CHECK_THAT(replay(prefix).errors, Catch::Contains("the run has 9 ranks, the cluster 8 GPUs"));
  std::filesystem::remove(folder.path("run.3.et"));
  CHECK_THAT(replay(prefix).errors, Catch::Contains("run.3.et: at /: there is no such file") &&
                                        Catch::Contains("8 files lie at"));
}

TEST_CASE("import and replay point to each other", "[cli]") {
  const TemporaryFolder folder;
  const std::string prefix = write_traces(folder, {rank_trace});
  const ProgramEnd end = run_program({"import", prefix + ".0.et", "--node", "dgx_a100_80gb"});
  CHECK(end.exit_code == 2);
  CHECK_THAT(end.errors, Catch::Contains("stepcast replay --et"));
}
