#include "scenarios/import/megatron_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/text_lines.h"

namespace stepcast {
namespace {

bool starts_option(std::string_view word) {
  return word.starts_with("--") && word.size() > 2 && word[2] != '-';
}

bool names_a_model(const ShellWord& word) {
  for (const char* option : {"--num-layers", "--hidden-size"}) {
    if (word.text.find(option) != std::string::npos) return true;
  }
  return false;
}

// A command line inside quotes (`eval "$cmd"`, `bash -c "..."`) is taken apart once more.
ShellCommand taken_apart(const ShellCommand& command) {
  ShellCommand flat;
  for (const ShellWord& word : command.words) {
    const bool line = names_a_model(word) && word.text.find(' ') != std::string::npos;
    const auto parts = line ? shell_words(word.text) : std::vector<std::string>{word.text};
    for (const std::string& part : parts) flat.words.push_back({part, word.line});
  }
  return flat;
}

}  // namespace

MegatronArguments::MegatronArguments(const ShellScript& script, const std::string& file)
    : file_(file) {
  std::vector<const ShellCommand*> trainings;
  for (const ShellCommand& command : script.commands) {
    const bool trains = std::any_of(command.words.begin(), command.words.end(), names_a_model);
    if (trains) trainings.push_back(&command);
  }
  if (trainings.empty()) {
    throw InputError({file, ""}, "no command here has --num-layers or --hidden-size",
                     "a launch script of Megatron-LM or a list of its arguments is expected");
  }
  if (trainings.size() > 1) {
    throw InputError(line_place(file, trainings[1]->words.front().line),
                     fmt::format("a second training; the first is on line {}",
                                 trainings[0]->words.front().line + 1),
                     "take one of them out");
  }
  read(taken_apart(*trainings.front()));
}

void MegatronArguments::read(const ShellCommand& command) {
  Option* open = nullptr;
  for (const ShellWord& word : command.words) {
    if (!starts_option(word.text)) {
      if (open != nullptr) open->values.push_back(word.text);
      continue;
    }
    const std::size_t equals = word.text.find('=');
    std::string name = word.text.substr(0, equals);
    std::replace(name.begin(), name.end(), '_', '-');
    if (options_.find(name) == options_.end()) order_.push_back(name);
    open = &options_[name];
    *open = {{}, word.line, false};
    if (equals != std::string::npos) open->values.push_back(word.text.substr(equals + 1));
  }
}

MegatronArguments::Option* MegatronArguments::find(std::string_view option) {
  const auto found = options_.find(option);
  if (found == options_.end()) return nullptr;
  found->second.asked_for = true;
  return &found->second;
}

InputPlace MegatronArguments::place_of(std::string_view option) const {
  const auto found = options_.find(option);
  return found == options_.end() ? InputPlace{file_, ""} : line_place(file_, found->second.line);
}

void MegatronArguments::refuse(std::string_view option, const std::string& found,
                               const char* expected) const {
  const bool unset = found.find('$') != std::string::npos;
  throw InputError(place_of(option),
                   fmt::format("{}: found \"{}\", expected {}", option, found, expected),
                   unset ? "give the variable a plain value in the script, as in NAME=8" : "");
}

const std::string* MegatronArguments::single_value(std::string_view option) {
  const Option* found = find(option);
  if (found == nullptr) return nullptr;
  if (found->values.empty())
    throw InputError(place_of(option), fmt::format("{} has no value", option));
  return &found->values.front();
}

bool MegatronArguments::has(std::string_view option) { return find(option) != nullptr; }

std::optional<int> MegatronArguments::count(std::string_view option) {
  const std::string* value = single_value(option);
  if (value == nullptr) return std::nullopt;
  const std::optional<std::int64_t> number = whole_number(*value);
  const bool fits = number && *number >= 0 && *number <= std::numeric_limits<int>::max();
  if (!fits) refuse(option, *value, "a whole number");
  return static_cast<int>(*number);
}

std::optional<double> MegatronArguments::number(std::string_view option) {
  const std::string* value = single_value(option);
  if (value == nullptr) return std::nullopt;
  const std::optional<double> number = finite_number(*value);
  if (!number) refuse(option, *value, "a number");
  return number;
}

std::optional<std::string> MegatronArguments::text(std::string_view option) {
  const std::string* value = single_value(option);
  if (value == nullptr) return std::nullopt;
  return *value;
}

std::vector<std::string> MegatronArguments::left() const {
  std::vector<std::string> names;
  std::copy_if(order_.begin(), order_.end(), std::back_inserter(names),
               [&](const std::string& name) { return !options_.at(name).asked_for; });
  return names;
}

std::vector<std::string> MegatronArguments::take(const std::set<std::string, std::less<>>& known) {
  std::vector<std::string> taken;
  for (const std::string& name : left()) {
    if (known.count(name) == 0) continue;
    options_.at(name).asked_for = true;
    taken.push_back(name);
  }
  return taken;
}

}  // namespace stepcast
