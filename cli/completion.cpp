// Completion for shells, written from the commands and options that the program itself has: it
// cannot fall behind them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/command.h"

namespace stepcast {
namespace {

struct CompletionWord {
  std::string word;
  std::string description;  ///< one line
};

/// What may follow a command: its own commands, and the options it understands.
struct CompletionLevel {
  std::string path;  ///< "" for the program, " topology import"
  std::vector<CompletionWord> commands;
  std::vector<CompletionWord> options;
};

std::vector<CompletionWord> options_of(const CLI::App& command) {
  std::vector<CompletionWord> words;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      words.push_back({"--" + name, option->get_description()});
    }
  }
  return words;
}

// Commands without a group are hidden.
void add_levels(const CLI::App& command, const std::string& path,
                std::vector<CompletionLevel>& levels) {
  const std::size_t place = levels.size();
  levels.push_back({path, {}, options_of(command)});
  for (const CLI::App* sub : command.get_subcommands({})) {
    if (sub->get_group().empty()) continue;
    levels[place].commands.push_back({sub->get_name(), sub->get_description()});
    add_levels(*sub, path + " " + sub->get_name(), levels);
  }
}

std::string joined(const std::vector<CompletionWord>& words) {
  std::string text;
  for (const CompletionWord& word : words) text += (text.empty() ? "" : " ") + word.word;
  return text;
}

// The body of a loop over the words before the one to complete, and what follows it: `at` is the
// command that they lead to, `names` and `flags` what it offers (zsh keeps the plainer names for
// itself).
std::string shell_cases(const std::vector<CompletionLevel>& levels) {
  std::string paths;
  std::string offers;
  for (const CompletionLevel& level : levels) {
    if (!level.path.empty()) paths += fmt::format("{}\"{}\"", paths.empty() ? "" : "|", level.path);
    offers += fmt::format("    \"{}\") names=\"{}\" flags=\"{}\" ;;\n", level.path,
                          joined(level.commands), joined(level.options));
  }
  return fmt::format(
      "    case \"$at $word\" in\n      {}) at=\"$at $word\" ;;\n    esac\n"
      "  done\n  case \"$at\" in\n{}  esac\n",
      paths, offers);
}

// Files where no command matches: bash's own completion (-o default).
std::string bash_completion(const std::vector<CompletionLevel>& levels) {
  return R"(_stepcast() {
  local at="" word names="" flags="" current="${COMP_WORDS[COMP_CWORD]}"
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
)" + shell_cases(levels) +
         R"(  case "$current" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$names" -- "$current")) ;;
  esac
}
complete -o default -F _stepcast stepcast
)";
}

std::string zsh_completion(const std::vector<CompletionLevel>& levels) {
  return R"(#compdef stepcast
_stepcast() {
  local at="" word names="" flags=""
  for word in "${(@)words[2,CURRENT-1]}"; do
)" + shell_cases(levels) +
         R"(  case "$PREFIX" in
    -*) compadd -- ${=flags} ;;
    *) compadd -- ${=names}; [ -n "$names" ] || _files ;;
  esac
}
compdef _stepcast stepcast
)";
}

std::string fish_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char letter : text) {
    if (letter == '\'' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  return quoted + "'";
}

// fish asks of each word whether it may stand here: all commands of its path seen, none below it.
std::string fish_condition(const CompletionLevel& level) {
  std::string condition = level.path.empty() ? "__fish_use_subcommand" : "";
  for (std::size_t from = 0; from < level.path.size();) {
    const std::size_t end = std::min(level.path.find(' ', from + 1), level.path.size());
    if (!condition.empty()) condition += "; and ";
    condition += "__fish_seen_subcommand_from" + level.path.substr(from, end - from);
    from = end;
  }
  if (level.path.empty() || level.commands.empty()) return condition;
  condition += "; and not __fish_seen_subcommand_from";
  for (const CompletionWord& word : level.commands) condition += " " + word.word;
  return condition;
}

std::string fish_completion(const std::vector<CompletionLevel>& levels) {
  std::string script;
  for (const CompletionLevel& level : levels) {
    const std::string line = "complete -c stepcast -n " + fish_quoted(fish_condition(level));
    for (const CompletionWord& word : level.commands) {
      script += fmt::format("{} -f -a {} -d {}\n", line, word.word, fish_quoted(word.description));
    }
    for (const CompletionWord& word : level.options) {
      script +=
          fmt::format("{} -l {} -d {}\n", line, word.word.substr(2), fish_quoted(word.description));
    }
  }
  return script;
}

Answer run_completion(const CLI::App& program, const std::string& shell) {
  std::vector<CompletionLevel> levels;
  add_levels(program, "", levels);
  if (shell == "bash") return {bash_completion(levels)};
  return {shell == "zsh" ? zsh_completion(levels) : fish_completion(levels)};
}

}  // namespace

void add_completion(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand(
      "completion", "A script that completes commands and options in bash, zsh or fish");
  command->footer(R"(Examples:
  source <(stepcast completion bash)
  source <(stepcast completion zsh)
  stepcast completion fish | source)");
  const auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""))
      ->type_name("");
  command->callback([shell, &program, &chosen] {
    chosen = [shell, &program] { return run_completion(program, *shell); };
  });
}

}  // namespace stepcast
