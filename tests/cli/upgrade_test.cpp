// upgrade: whether a change of the cluster pays.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/run_program.h"

namespace stepcast {
namespace {

using namespace stepcast::test;
using Catch::Matchers::WithinRel;
using nlohmann::json;

constexpr const char* priced =
    R"({"price": {"usd_per_node_hour": 8}, "training_tokens": 1000000000})";
constexpr const char* half_the_price = R"({"price": {"usd_per_node_hour": 4}})";

ProgramEnd upgrade(const std::string& scenario_patch, std::vector<std::string> options) {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("scenario.json", small_scenario(scenario_patch));
  options.insert(options.begin(), {"upgrade", scenario});
  return run_program(options);
}

json answer_of(std::vector<std::string> options) {
  options.insert(options.end(), {"--format", "json"});
  const ProgramEnd end = upgrade(priced, options);
  INFO(end.errors);
  REQUIRE(end.exit_code == 0);
  return json::parse(end.output);
}

void require_wrong_upgrade(const std::string& scenario_patch, std::vector<std::string> options,
                           const std::string& message) {
  const ProgramEnd end = upgrade(scenario_patch, std::move(options));
  CHECK(end.exit_code == 2);
  CHECK(end.output == "");
  CHECK_THAT(end.errors, Catch::Contains(message));
}

}  // namespace

TEST_CASE("upgrade to half the price saves half the price of every hour", "[cli][contract]") {
  // 8 - 4 = 4 USD an hour: 400 USD in 100 h; 50 h bring 200 USD.
  const json answer =
      answer_of({"--to", half_the_price, "--capital", "400 USD", "--horizon", "50 h"});
  CHECK(answer["before"]["step_time_s"] == answer["after"]["step_time_s"]);
  CHECK_THAT(answer["usd_saved_per_hour"].get<double>(), WithinRel(4.0, 1e-12));
  CHECK_THAT(answer["payback_hours"].get<double>(), WithinRel(100.0, 1e-12));
  CHECK_THAT(answer["break_even_usd"].get<double>(), WithinRel(200.0, 1e-12));
}

TEST_CASE("upgrade predicts what predict does of the patched scenario", "[cli][contract]") {
  const std::string patch = R"({"plan": {"tensor_parallel": 4}})";
  const json answer = answer_of({"--to", patch, "--capital", "1 USD"});
  const TemporaryFolder folder;
  json patched = json::parse(small_scenario(priced));
  patched["plan"]["tensor_parallel"] = 4;
  const ProgramEnd end =
      run_program({"predict", folder.write("scenario.json", patched.dump()), "--format", "json"});
  CHECK(answer["after"]["step_time_s"] == json::parse(end.output)["step_time_s"]);
  CHECK(answer["after"]["step_time_s"] != answer["before"]["step_time_s"]);
}

TEST_CASE("upgrades that cannot be reckoned: exit 2 and what is wrong", "[cli][contract]") {
  const auto with = [](const std::string& patch, const std::string& capital) {
    return std::vector<std::string>{"--to", patch, "--capital", capital};
  };
  require_wrong_upgrade(priced, with("{\"price\": ", "1 USD"), "--to: ");
  require_wrong_upgrade(priced, with("", "1 USD"), "--to: ");
  require_wrong_upgrade(priced, with("7", "1 USD"), "--to: at /: expected a JSON object");
  require_wrong_upgrade(priced, with(R"({"cluster": {"fabrik": 1}})", "1 USD"),
                        "scenario.json: at /cluster: unknown key \"fabrik\"");
  require_wrong_upgrade(priced, with(R"({"training_tokens": 1})", "1 USD"),
                        "--to: at /training_tokens: the upgrade trains another number of tokens");
  require_wrong_upgrade(priced, with(R"({"price": null})", "1 USD"), "no \"price\" after");
  require_wrong_upgrade(priced, with(R"({"price": null})", "1 USD"), "--to takes it away");
  require_wrong_upgrade("{}", with(half_the_price, "1 USD"), "no \"price\" before");
  require_wrong_upgrade(R"({"price": {"usd_per_node_hour": 8}})", with(half_the_price, "1 USD"),
                        "no \"training_tokens\"");
}

TEST_CASE("a capital or a horizon that is none is refused", "[cli][contract]") {
  const std::string capital = GENERATE("", "400000", "-1 USD", "much", "1 EUR", "nan USD");
  CAPTURE(capital);
  require_wrong_upgrade(priced, {"--to", half_the_price, "--capital=" + capital}, "--capital");
  const std::string horizon = GENERATE("0 h", "3 years", "-1 h");
  CAPTURE(horizon);
  require_wrong_upgrade(priced,
                        {"--to", half_the_price, "--capital", "1 USD", "--horizon=" + horizon},
                        "--horizon: ");
}

}  // namespace stepcast
