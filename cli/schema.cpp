#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "reports/json.h"
#include "scenarios/scenario.h"

namespace stepcast {
namespace {

Answer run_schema(const std::string& of_what) {
  if (of_what == "result") return {json_text(result_schema())};
  if (of_what == "profile") return {json_text(profile_schema())};
  return {json_text(of_what == "suite" ? suite_schema() : scenario_schema())};
}

}  // namespace

void add_schema(CLI::App& program, Command& chosen) {
  CLI::App* command =
      program.add_subcommand("schema", "JSON Schema of what is read and of what is answered");
  const auto of_what = std::make_shared<std::string>("scenario");
  command->add_option("FORMAT", *of_what, "scenario (unless said), suite, profile or result")
      ->check(CLI::IsMember({"scenario", "suite", "profile", "result"}).description(""))
      ->type_name("");
  command->callback([of_what, &chosen] { chosen = [of_what] { return run_schema(*of_what); }; });
}

}  // namespace stepcast
