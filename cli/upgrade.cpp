#include "reports/upgrade.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/input_error.h"
#include "base/unit_text.h"
#include "cli/command.h"
#include "cli/predictions.h"
#include "reports/json.h"

namespace stepcast {
namespace {

struct UpgradeCommand {
  ScenarioOptions options;
  std::string patch;
  std::string capital;
  std::optional<std::string> horizon;
};

double read_capital(const std::string& text) {
  const std::optional<double> usd = parse_usd(text);
  if (usd) return *usd;
  throw InputError({"--capital", ""}, fmt::format("\"{}\" is no amount of money", text),
                   "a number from 0 up and its unit, as in \"400000 USD\"");
}

double read_horizon_hours(const std::string& text) {
  const std::optional<Seconds> time = parse_seconds(text);
  if (time && *time > Seconds(0)) return time->value() / 3600.0;
  throw InputError({"--horizon", ""}, fmt::format("\"{}\" is no time to use the upgrade", text),
                   "a number above 0 and its unit, as in \"26280 h\" (three years)");
}

Prediction predict_patched(ScenarioOptions options, const std::optional<std::string>& patch) {
  options.read.merge_patch = patch;
  return predict_one(options, "upgrade").answers.front();
}

void require_price(const Scenario& scenario, const char* when, const char* way_out) {
  if (scenario.price) return;
  throw InputError({scenario.file, scenario.pointer},
                   fmt::format("there is no \"price\" {} the upgrade", when), way_out);
}

// Two trainings of different length say nothing about what the hardware saves.
void require_same_training(const Scenario& before, const Scenario& after) {
  if (before.training_tokens == after.training_tokens) return;
  throw InputError({"--to", "/training_tokens"}, "the upgrade trains another number of tokens",
                   "leave training_tokens as they are, or change both by --set training_tokens=N");
}

void require_something_to_pay_over(const Scenario& scenario, const Purchase& purchase) {
  if (purchase.horizon_hours || scenario.training_tokens) return;
  throw InputError({scenario.file, scenario.pointer},
                   "there are no \"training_tokens\" to earn the capital with",
                   "--set training_tokens=N, or --horizon TIME that the upgrade is used");
}

Answer run_upgrade(const UpgradeCommand& command) {
  Purchase purchase{command.patch, read_capital(command.capital)};
  if (command.horizon) purchase.horizon_hours = read_horizon_hours(*command.horizon);
  const Prediction before = predict_patched(command.options, std::nullopt);
  require_price(before.scenario, "before",
                "--set price=NAME with a price that `stepcast catalogue list` names");
  require_something_to_pay_over(before.scenario, purchase);
  const Prediction after = predict_patched(command.options, command.patch);
  require_price(after.scenario, "after",
                "--to takes it away; leave it, or give the patch a price of its own");
  require_same_training(before.scenario, after.scenario);
  if (command.options.format == Format::Json) {
    return {json_text(upgrade_json(before, after, purchase))};
  }
  return report(upgrade_text(before, after, purchase));
}

}  // namespace

void add_upgrade(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand(
      "upgrade", "Whether a change of the cluster pays: time, cost, payback, break-even price");
  const auto upgrade = std::make_shared<UpgradeCommand>();
  add_scenario_options(*command, upgrade->options, false);
  command->get_option("PATH")->description("A scenario");
  command
      ->add_option("--to", upgrade->patch,
                   R"(What changes, a JSON merge patch: '{"cluster": {"fabric": "ndr_rail"}}')")
      ->required()
      ->type_name("JSON");
  command
      ->add_option("--capital", upgrade->capital,
                   "What the upgrade costs to buy, as in \"400000 USD\"")
      ->required()
      ->type_name("USD");
  command
      ->add_option("--horizon", upgrade->horizon,
                   "How long it is used for training, as in \"26280 h\"; the training run unless "
                   "said")
      ->type_name("TIME");
  command->callback([upgrade, &chosen] { chosen = [upgrade] { return run_upgrade(*upgrade); }; });
}

}  // namespace stepcast
