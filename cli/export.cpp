// stepcast export: a scenario in the words of another program.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/input_error.h"
#include "base/output_file.h"
#include "cli/command.h"
#include "scenarios/export/exported.h"
#include "topology/export/simgrid_platform.h"

namespace stepcast {
namespace {

struct ExportOptions {
  std::string path;
  std::string to = "megatron";
  std::string out;
  ReadOptions read;
};

Scenario only_scenario(const ExportOptions& options) {
  std::vector<Scenario> scenarios = read_scenarios(options.path, options.read);
  if (scenarios.size() == 1) return std::move(scenarios.front());
  throw InputError({options.path, "/runs"},
                   fmt::format("the suite has {} runs, an export is of one", scenarios.size()),
                   "write the one into a file of its own");
}

Exported exported(const Scenario& scenario, const std::string& to) {
  if (to == "megatron") return megatron_script(scenario);
  if (to == "deepspeed") return deepspeed_config(scenario);
  try {
    return {simgrid_platform(Cluster(scenario.cluster)),
            {"model, plan, batch and whatever else is not the cluster"}};
  } catch (const InputError& error) {
    throw InputError({scenario.file, error.place().pointer}, error.problem(), error.hint(),
                     error.details());
  }
}

Answer run_export(const ExportOptions& options) {
  const Exported result = exported(only_scenario(options), options.to);
  const std::string notes =
      fmt::format("not carried over to {}: {}\n", options.to, fmt::join(result.not_carried, ", "));
  if (options.out.empty()) return {.output = result.text, .notes = notes};
  write_output_file(options.out, "the export", "--out", result.text);
  return {.output = {}, .notes = notes};
}

constexpr const char* examples = R"(Examples:
  stepcast export scenarios/guide/65b_8_nodes.json --to megatron --out train_65b.sh
  stepcast export scenarios/guide/30b_4_nodes.json --to deepspeed --out ds_config.json
  stepcast export scenarios/guide/65b_8_nodes.json --to simgrid --out platform.xml

What another program has no word for is named on stderr; stepcast import finds it in the exported script or
configuration and gives the same scenario back.)";

}  // namespace

void add_export(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand(
      "export", "A scenario as arguments of Megatron-LM, a ds_config.json or a SimGrid platform");
  command->footer(examples);
  const auto options = std::make_shared<ExportOptions>();
  command->add_option("PATH", options->path, "A scenario")->required()->type_name("");
  command->add_option("--to", options->to, "Whose words; megatron unless said")
      ->check(CLI::IsMember({"megatron", "deepspeed", "simgrid"}).description(""))
      ->type_name("megatron|deepspeed|simgrid");
  command
      ->add_option("--set", options->read.settings,
                   "Change a key, as in plan.tensor_parallel=4; may be repeated")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  command->add_option("-o,--out", options->out, "Where it goes; stdout unless said")
      ->type_name("FILE");
  command->callback([options, &chosen] { chosen = [options] { return run_export(*options); }; });
}

}  // namespace stepcast
