// As much of a shell script as a launch script of a training needs. Nothing is run. Private to
// scenarios/import.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stepcast {

struct ShellWord {
  std::string text;  ///< expanded; what has no value here stays as written: `$RANK`, `$(hostname)`
  std::size_t line = 0;
};

struct ShellCommand {
  std::vector<ShellWord> words;
};

struct ShellComment {
  std::string text;  ///< behind the '#'
  std::size_t line = 0;
};

struct ShellScript {
  std::vector<ShellCommand> commands;
  std::vector<ShellComment> comments;
  std::map<std::string, std::string> exported;  ///< `export NAME=value`
  std::vector<std::size_t> control_lines;       ///< `if`, `for`, ...: their commands count as run
};

/// Quotes, continued lines, `NAME=value`, `NAME+=value`, arrays, `$NAME`, `${NAME}`,
/// `${NAME[@]}`, `${NAME:-default}`, `$((sum))` and here-documents (which are passed over).
/// Words may also stand without a command: a list of arguments is a script. Throws InputError for
/// an open quote or bracket.
ShellScript read_shell_script(std::string_view text, const std::string& file);

/// The words of a text as the shell splits it, without expansion.
std::vector<std::string> shell_words(std::string_view text);

/// `text` in quotes where the shell would take it apart.
std::string shell_quoted(const std::string& text);

}  // namespace stepcast
