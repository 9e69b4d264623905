// The options of a training's command line, with the line that each stands on. Private to
// scenarios/import.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/input_error.h"
#include "scenarios/import/shell_script.h"

namespace stepcast {

/// `--name value...`, `--name=value` and `--name`; '_' in a name reads as '-'. An option that
/// stands twice has its last value, as argparse has it.
class MegatronArguments {
 public:
  /// Takes the one command of the script that has --num-layers or --hidden-size. Throws InputError
  /// where there is none, or several.
  MegatronArguments(const ShellScript& script, const std::string& file);

  bool has(std::string_view option);
  std::optional<int> count(std::string_view option);
  std::optional<double> number(std::string_view option);
  std::optional<std::string> text(std::string_view option);

  InputPlace place_of(std::string_view option) const;

  /// Options that are there and that nobody asked for yet, in the script's order.
  std::vector<std::string> left() const;
  /// Those of them that `known` names; they count as asked for.
  std::vector<std::string> take(const std::set<std::string, std::less<>>& known);

 private:
  struct Option {
    std::vector<std::string> values;
    std::size_t line = 0;
    bool asked_for = false;
  };
  void read(const ShellCommand& command);
  Option* find(std::string_view option);
  const std::string* single_value(std::string_view option);
  [[noreturn]] void refuse(std::string_view option, const std::string& found,
                           const char* expected) const;

  std::string file_;
  std::map<std::string, Option, std::less<>> options_;
  std::vector<std::string> order_;
};

}  // namespace stepcast
