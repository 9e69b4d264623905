// Manual pages, written from the commands and options that the program itself has: they cannot
// fall behind --help.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>

#include "base/output_file.h"
#include "cli/command.h"

namespace stepcast {
namespace {

// A line of text for roff: '\' and '-' are its own, '.' and "'" begin its requests.
std::string roff(const std::string& line) {
  std::string text;
  if (line.starts_with('.') || line.starts_with('\'')) text = "\\&";
  for (const char letter : line) {
    if (letter == '\\') {
      text += "\\e";
    } else if (letter == '-') {
      text += "\\-";
    } else {
      text += letter;
    }
  }
  return text;
}

std::string as_written(const std::string& text) {
  std::string lines = ".nf\n";
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines += roff(line) + "\n";
  return lines + ".fi\n";
}

std::string option_names(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : option.get_snames()) names += "-" + name + ", ";
  for (const std::string& name : option.get_lnames()) names += "--" + name + ", ";
  if (names.empty()) return option.get_name(true);
  names.erase(names.size() - 2);
  return names;
}

std::string options_text(const CLI::App& command) {
  std::string text;
  for (const CLI::Option* option : command.get_options()) {
    const std::string type = option->get_type_size() == 0 ? "" : option->get_type_name();
    text += fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", roff(option_names(*option)),
                        type.empty() ? "" : " \\fI" + roff(type) + "\\fR",
                        roff(option->get_description()));
  }
  return text;
}

std::string commands_text(const CLI::App& command, const std::string& path) {
  std::string text;
  for (const CLI::App* inner : command.get_subcommands({})) {
    if (inner->get_group().empty()) continue;
    const std::string name = path + " " + inner->get_name();
    text += fmt::format(".SS {}\n{}\n{}", roff(name), roff(inner->get_description()),
                        options_text(*inner));
    text += commands_text(*inner, name);
  }
  return text;
}

// A footer is examples under a heading of their own, and what else there is to say.
std::string footer_text(const std::string& footer) {
  constexpr std::string_view heading = "Examples:\n";
  if (!footer.starts_with(heading)) return ".SH NOTES\n" + as_written(footer);
  return ".SH EXAMPLES\n" + as_written(footer.substr(heading.size()));
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
  return text;
}

// `page`: "stepcast" or "stepcast-import"; `path`: as it is called.
std::string manual_page(const CLI::App& command, const std::string& page, const std::string& path) {
  std::string text = fmt::format(".TH {} 1 \"\" \"Stepcast {}\" \"User Commands\"\n",
                                 roff(upper(page)), STEPCAST_VERSION);
  text += fmt::format(".SH NAME\n{} \\- {}\n", roff(page), roff(command.get_description()));
  text += fmt::format(".SH SYNOPSIS\n\\fB{}\\fR [OPTIONS] ...\n", roff(path));
  text += ".SH OPTIONS\n" + options_text(command);
  const std::string commands = page == "stepcast" ? "" : commands_text(command, path);
  if (!commands.empty()) text += ".SH COMMANDS\n" + commands;
  return text + footer_text(command.get_footer());
}

std::string see_also(const CLI::App& program) {
  std::string pages;
  for (const CLI::App* command : program.get_subcommands({})) {
    if (command->get_group().empty()) continue;
    pages += fmt::format(".TP\n\\fBstepcast\\-{}\\fR(1)\n{}\n", roff(command->get_name()),
                         roff(command->get_description()));
  }
  return ".SH COMMANDS\n" + pages;
}

Answer run_man(const CLI::App& program, const std::string& folder) {
  const std::filesystem::path where(folder);
  std::filesystem::create_directories(where);
  const auto write = [&](const std::string& page, const std::string& text) {
    write_output_file(where / (page + ".1"), "the manual page", "FOLDER", text);
  };
  write("stepcast", manual_page(program, "stepcast", "stepcast") + see_also(program));
  for (const CLI::App* command : program.get_subcommands({})) {
    if (command->get_group().empty()) continue;
    write("stepcast-" + command->get_name(),
          manual_page(*command, "stepcast-" + command->get_name(),
                      "stepcast " + command->get_name()));
  }
  return {};
}

}  // namespace

// Hidden: the build calls it.
void add_man(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand("man", "Writes the manual pages into a folder");
  command->group("");
  const auto folder = std::make_shared<std::string>();
  command->add_option("FOLDER", *folder, "Where they go")->required()->type_name("");
  command->callback([folder, &program, &chosen] {
    chosen = [folder, &program] { return run_man(program, *folder); };
  });
}

}  // namespace stepcast
