// stepcast import: a scenario from files that other programs are run with.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/output_file.h"
#include "cli/command.h"
#include "reports/json.h"
#include "scenarios/import/imported.h"

namespace stepcast {
namespace {

struct ImportOptions {
  std::vector<std::string> files;
  ImportWishes wishes;
  std::string out;
};

std::string summary(const ImportedScenario& imported) {
  std::string text;
  for (const std::string& line : imported.assumed) text += fmt::format("assumed: {}\n", line);
  for (const std::string& line : imported.not_carried) {
    text += fmt::format("not carried over: {}\n", line);
  }
  return text;
}

Answer run_import(const ImportOptions& options) {
  if (!options.out.empty()) check_output_file(options.out, "the scenario", "--out");
  std::vector<Imported> files;
  for (const std::string& file : options.files) files.push_back(read_foreign_file(file));
  const ImportedScenario imported = import_scenario(files, options.wishes);
  const std::string text = json_text(*imported.scenario);
  const std::string notes = summary(imported);
  if (options.out.empty()) return {.output = text, .notes = notes};
  write_output_file(options.out, "the scenario", "--out", text);
  return {.output = {}, .notes = notes};
}

constexpr const char* examples = R"(Examples:
  stepcast import config.json --node dgx_h100_80gb --fabric ndr_rail --nodes 4,8 --out mine.json
  stepcast compare mine.json --search --report mine.html
  stepcast import train_gpt3.sh --node dgx_a100_80gb --fabric hdr_rail --out gpt3.json
  stepcast import config.json ds_config.json --node dgx_a100_80gb --nodes 1 --out ds.json
  stepcast import config.json llama3_8b.toml --node dgx_h100_80gb --nodes 1 --out titan.json

What a file leaves open and what a scenario cannot hold is listed on stderr and in the scenario's caveats.)";

}  // namespace

void add_import(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand(
      "import", "A scenario from files of Hugging Face, Megatron-LM, DeepSpeed or torchtitan");
  command->footer(examples);
  const auto options = std::make_shared<ImportOptions>();
  command->add_option("FILE", options->files, "Files that each say a part of one training")
      ->required()
      ->type_name("");
  command->add_option("--node", options->wishes.node, "A node of the catalogue, or a node file")
      ->type_name("NAME");
  command
      ->add_option("--nodes", options->wishes.nodes,
                   "How many; several to choose among, as `compare --search` and `sweep` do")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 100000).description(""))
      ->type_name("N[,N...]");
  command
      ->add_option("--fabric", options->wishes.fabric,
                   "A network of the catalogue; not needed on one node")
      ->type_name("NAME");
  command
      ->add_option("--set", options->wishes.settings,
                   "Say or change a key, as in batch.global_batch=512; may be repeated")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  command->add_option("-o,--out", options->out, "Where the scenario goes; stdout unless said")
      ->type_name("FILE.json");
  command->callback([options, &chosen] { chosen = [options] { return run_import(*options); }; });
}

}  // namespace stepcast
