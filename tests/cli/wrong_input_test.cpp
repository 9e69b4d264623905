// Wrong input: one clear message on stderr, nothing on stdout, exit code 2.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/cli/run_program.h"

namespace stepcast {
namespace {

using test::ProgramEnd;
using test::run_program;
using test::small_scenario;
using test::TemporaryFolder;

void require_wrong_input(const ProgramEnd& end, const std::string& message) {
  CHECK(end.exit_code == 2);
  CHECK(end.output == "");
  CHECK_THAT(end.errors, Catch::Contains(message));
  CHECK_THAT(end.errors, Catch::EndsWith("\n"));
}

ProgramEnd predict_text(const std::string& text) {
  const TemporaryFolder folder;
  return run_program({"predict", folder.write("scenario.json", text)});
}

std::string with(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.substr(0, at) + to + text.substr(at + from.size());
}

}  // namespace

TEST_CASE("wrong keys and values: exit 2 and a message that names the place", "[cli][contract]") {
  struct Case {
    const char* what;
    const char* patch;
    const char* message;
  };
  const Case wrong = GENERATE(values<Case>({
      {"unknown key", R"({"plan": {"tensor_paralel": 2}})",
       "scenario.json: at /plan: unknown key \"tensor_paralel\""},
      {"bare number", R"({"measured": {"step_time": 12.3}})",
       "scenario.json: at /measured/step_time: "},
      {"wrong unit", R"({"measured": {"step_time": "12 GB"}})",
       "scenario.json: at /measured/step_time: "},
      {"missing part", R"({"model": null})", "\"model\""},
      {"unknown name", R"({"model": "lama_7b"})", "scenario.json: at /model: "},
      {"7 GPUs", R"({"cluster": {"gpus_per_node": 7}, "plan": {"tensor_parallel": 8}})",
       "scenario.json: at /plan"},
      {"heads not divisible",
       R"({"model": {"num_attention_heads": 6, "hidden_size": 768}, "plan": {"tensor_parallel": 4}})",
       "scenario.json: at /plan/tensor_parallel: "},
      {"batch not divisible", R"({"batch": {"global_batch": 15}})", "scenario.json: at /batch"},
      {"negative count", R"({"model": {"hidden_size": -512}})",
       "scenario.json: at /model/hidden_size: "},
      {"negative size",
       R"({"cluster": {"node": {"base": "dgx_a100_80gb", "nvlink_bandwidth": "-1 GB/s"}}})",
       "scenario.json: at /cluster/node/nvlink_bandwidth: "},
      {"no fabric", R"({"cluster": {"nodes": 2}})", "scenario.json: at /cluster: "},
  }));
  INFO(wrong.what);
  require_wrong_input(predict_text(small_scenario(wrong.patch)), wrong.message);
}

TEST_CASE("text that is no JSON: exit 2 and a message that names the line", "[cli][contract]") {
  const std::string whole = small_scenario();
  require_wrong_input(predict_text(whole.substr(0, whole.size() / 2)), "scenario.json: at line 1");
  require_wrong_input(predict_text(""), "scenario.json: at ");
  require_wrong_input(predict_text(with(whole, "512", "NaN")), "scenario.json: at line 1");
  require_wrong_input(predict_text("\xff\xfe"), "scenario.json: at ");
  require_wrong_input(predict_text("[]"), "scenario.json: at /: ");
}

TEST_CASE("10 MB of nested arrays are refused, not followed", "[cli][contract]") {
  const std::string open(5'000'000, '[');
  const std::string close(5'000'000, ']');
  require_wrong_input(predict_text(open + close), "scenario.json: at line 1");
  require_wrong_input(predict_text(open), "scenario.json: at line 1");
}

TEST_CASE("files that cannot be read", "[cli][contract]") {
  require_wrong_input(run_program({"predict", "/no/such/file.json"}), "/no/such/file.json: at /: ");
  const TemporaryFolder empty;
  require_wrong_input(run_program({"predict", empty.path("")}), "holds no *.json file");
  require_wrong_input(run_program({"validate", "/no/such/file.json"}), "/no/such/file.json: ");
  require_wrong_input(run_program({"compare", "/no/a.json", "/no/b.json"}), "/no/a.json: ");
}

TEST_CASE("settings and profiles that lead nowhere", "[cli][contract]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", small_scenario());
  const auto predict = [&](const std::string& option, const std::string& value) {
    return run_program({"predict", scenario, option, value});
  };
  require_wrong_input(predict("--set", "plan.no_such_key=4"), "no_such_key");
  require_wrong_input(predict("--set", "no_such_key.at_all=4"), "no_such_key");
  require_wrong_input(predict("--set", "plan.tensor_parallel"), "plan.tensor_parallel");
  require_wrong_input(predict("--set", "plan.tensor_parallel=3"), "tensor_parallel");
  require_wrong_input(predict("--profile", "/no/profile.json"), "/no/profile.json: ");
}

TEST_CASE("arguments that are not understood", "[cli][contract]") {
  require_wrong_input(run_program({}), "a command is required");
  require_wrong_input(run_program({"foretell"}), "foretell");
  require_wrong_input(run_program({"catalogue"}), "a command is required");
  require_wrong_input(run_program({"predict"}), "PATH is required");
  require_wrong_input(run_program({"predict", "x.json", "--engine", "fast"}), "fast");
  require_wrong_input(run_program({"predict", "x.json", "--format", "xml"}), "xml");
  require_wrong_input(run_program({"predict", "x.json", "--no-such-option"}), "--no-such-option");
  require_wrong_input(run_program({"predict", "x.json", "--set"}), "--set");
  require_wrong_input(run_program({"schema", "sonnet"}), "sonnet");
}

TEST_CASE("commands whose input is right by itself but not for them", "[cli][contract]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", small_scenario());
  require_wrong_input(run_program({"compare", scenario, "--engine", "analytic"}),
                      "one scenario is nothing to compare");
  require_wrong_input(run_program({"validate", scenario}), "no run has figures under \"measured\"");
}

TEST_CASE("catalogue names that there are none or several of", "[cli][contract]") {
  require_wrong_input(run_program({"catalogue", "show", "hdr_rall"}),
                      "the catalogue has no \"hdr_rall\"\n  hint: did you mean \"hdr_rail\"");
  require_wrong_input(run_program({"catalogue", "show", "zzz"}), "`stepcast catalogue list`");
  require_wrong_input(run_program({"catalogue", "show", "b200"}),
                      "the catalogue has several parts called \"b200\"\n"
                      "  gpus/b200\n"
                      "  profiles/gpu/b200\n"
                      "  hint: name its kind too, as in gpus/b200\n");
}

}  // namespace stepcast
