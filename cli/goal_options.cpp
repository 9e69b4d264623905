// Options that say what the best layout is: each sets a key of the scenario's `search`.
#include <CLI/CLI.hpp>
#include <string>

#include "cli/search.h"

namespace stepcast {
namespace {

CLI::Option* add_goal_option(CLI::App& command, ReadOptions& read, const std::string& option,
                             const std::string& key, const std::string& doc) {
  return command.add_option_function<std::string>(
      option,
      [&read, key](const std::string& value) {
        read.settings.push_back("search/" + key + "=" + value);
      },
      doc);
}

}  // namespace

std::vector<CLI::Option*> add_goal_options(CLI::App& command, ReadOptions& read) {
  const std::vector<std::string> words = objective_words();
  const std::string all = CLI::detail::join(words, "|");
  const auto add = [&](const char* option, const char* key, const char* doc) {
    return add_goal_option(command, read, option, key, doc);
  };
  return {add("--objective", "objective", "What is best; step_time unless said")
              ->check(CLI::IsMember(words).description(""))
              ->type_name(all),
          add("--pareto-with", "pareto_with", "A second objective: also the Pareto front of both")
              ->check(CLI::IsMember(words).description(""))
              ->type_name(all),
          add("--fit-probability", "fit_probability",
              "Least probability of not running out of memory; 0.5 unless said")
              ->type_name("P"),
          add("--deadline", "deadline", "Longest that the whole training may take, as in \"720 h\"")
              ->type_name("TIME"),
          add("--max-nodes", "max_nodes", "Leave larger clusters out")->type_name("N"),
          add("--max-training-usd", "max_training_usd", "Most that the whole training may cost")
              ->type_name("USD")};
}

}  // namespace stepcast
