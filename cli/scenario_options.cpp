#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/command.h"

namespace stepcast {
namespace {

template <class Value>
using Choices = std::vector<std::pair<std::string, Value>>;

template <class Value>
void add_choice(CLI::App& command, const std::string& name, Value& value,
                const Choices<Value>& choices, const std::string& doc) {
  std::vector<std::string> words;
  for (const auto& [word, meaning] : choices) words.push_back(word);
  command
      .add_option_function<std::string>(
          name,
          [choices, &value](const std::string& word) {
            for (const auto& [known, meaning] : choices) {
              if (known == word) value = meaning;
            }
          },
          doc)
      ->check(CLI::IsMember(words).description(""))
      ->type_name(CLI::detail::join(words, "|"));
}

// Ranks of an MPI job share the machine's cores.
int ranks_on_this_machine() {
  const char* ranks = std::getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  return ranks == nullptr ? 1 : std::max(1, std::atoi(ranks));
}

}  // namespace

void add_scenario_options(CLI::App& command, ScenarioOptions& options, bool in_rows) {
  const Choices<EngineChoice> engines{{"event", EngineChoice::Event},
                                      {"analytic", EngineChoice::Analytic},
                                      {"auto", EngineChoice::Auto}};
  Choices<Format> formats{{"text", Format::Text}, {"json", Format::Json}};
  if (in_rows) formats.push_back({"csv", Format::Csv});
  command.add_option("PATH", options.paths, "Scenario files, suites, or folders of them")
      ->required();
  command
      .add_option("--set", options.read.settings,
                  "Change a key of every scenario, as in plan.tensor_parallel=4; may be repeated")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  command
      .add_option("--profile", options.read.profile_file,
                  "Calibrated values, laid over the built-in profile")
      ->type_name("FILE");
  add_choice(command, "--engine", options.engine, engines,
             "auto is analytic where that is proven to be what event gives");
  add_choice(command, "--format", options.format, formats, "What to print");
  options.jobs =
      std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / ranks_on_this_machine());
  command
      .add_option(
          "--jobs", options.jobs,
          "Predictions at a time, as many as cores unless said; answers do not depend on it")
      ->check(CLI::Range(1, 1024).description(""))
      ->type_name("N");
  command.add_flag("--quiet", options.quiet, "No progress on stderr");
}

}  // namespace stepcast
