// The program: reads the command line, runs one command, prints its answer whole.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <map>
#include <sstream>

#include "base/input_error.h"
#include "cli/color.h"
#include "cli/command.h"

namespace stepcast {
namespace {

constexpr const char* examples = R"(
  stepcast predict scenarios/guide/65b_8_nodes.json
  stepcast predict scenarios/guide/65b_8_nodes.json --set plan.tensor_parallel=8 --set plan.data_parallel=4
  stepcast compare scenarios/guide/65b_4_nodes.json scenarios/guide/65b_8_nodes.json
  stepcast sensitivity scenarios/guide/65b_8_nodes.json
  stepcast upgrade scenarios/guide/65b_8_nodes.json --to '{"cluster": {"fabric": "ndr_rail"}}' --capital "400000 USD"
  stepcast sweep scenarios/guide/65b_8_nodes.json
  stepcast validate scenarios/validation/megatron_sc21_table1.json
  stepcast import config.json --node dgx_h100_80gb --fabric ndr_rail --nodes 4,8 --out mine.json
  stepcast export scenarios/guide/65b_8_nodes.json --to megatron
  stepcast replay --et traces/gpt --node dgx_h100_80gb --nodes 2 --fabric ndr_rail
  stepcast topology import topo.txt --gpu a100_sxm_80gb --out node.json
  stepcast topology collectives --node dgx_a100_80gb --nodes 2 --fabric hdr_rail
  stepcast calibrate --scenario my_run.json --nccl-log all_reduce.txt --out my_cluster.json
  stepcast catalogue show dgx_a100_80gb
  stepcast schema scenario
  stepcast serve scenarios/guide/65b_8_nodes.json
)";

constexpr const char* exit_codes =
    "Exit code 0 is an answer (running out of memory is one), 2 wrong input, 1 a fault of the "
    "program.";

// The lines of `examples` that call the command; all of them for the program itself.
std::string examples_of(const std::string& command) {
  std::istringstream all{examples};
  std::string own;
  for (std::string line; std::getline(all, line);) {
    if (line.starts_with("  " + command + " ")) own += line + "\n";
  }
  return own.empty() ? "" : "Examples:\n" + own + "\n";
}

// Commands with examples of their own keep them.
void add_footers(CLI::App& command, const std::string& path) {
  for (CLI::App* inner : command.get_subcommands({})) {
    add_footers(*inner, path + " " + inner->get_name());
  }
  if (command.get_footer().empty()) command.footer(examples_of(path) + exit_codes);
}

void complain(const std::string& message, ColorChoice color) {
  const bool colored = wants_color(color, STDERR_FILENO);
  std::fputs(((colored ? colored_complaint(message) : message) + "\n").c_str(), stderr);
}

int print(const std::string& output, ColorChoice color) {
  const bool written = std::fwrite(output.data(), 1, output.size(), stdout) == output.size();
  if (written && std::fflush(stdout) == 0) return 0;
  complain("stepcast: cannot write to stdout", color);
  return fault_exit;
}

int run(const Command& command, ColorChoice color) {
  const Answer answer = command();
  const bool color_notes = wants_color(color, STDERR_FILENO);
  std::fputs((color_notes ? colored_notes(answer.notes) : answer.notes).c_str(), stderr);
  const bool colored = answer.is_report && wants_color(color, STDOUT_FILENO);
  const int printed = print(colored ? colored_report(answer.output) : answer.output, color);
  return printed == 0 ? answer.exit_code : printed;
}

// On every command, so that it may stand where the user thinks of it.
void add_color_option(CLI::App& command, ColorChoice& color) {
  static const std::map<std::string, ColorChoice> words{
      {"auto", ColorChoice::Auto}, {"always", ColorChoice::Always}, {"never", ColorChoice::Never}};
  command
      .add_option_function<std::string>(
          "--color", [&color](const std::string& word) { color = words.at(word); },
          "Colours in reports and errors; auto: on a terminal, unless NO_COLOR is set")
      ->check(CLI::IsMember({"auto", "always", "never"}).description(""))
      ->type_name("auto|always|never");
  for (CLI::App* inner : command.get_subcommands({})) add_color_option(*inner, color);
}

void set_up(CLI::App& program, Command& chosen, ColorChoice& color) {
  program.name("stepcast");
  program.set_version_flag("--version", "stepcast " STEPCAST_VERSION);
  add_predict(program, chosen);
  add_compare(program, chosen);
  add_sensitivity(program, chosen);
  add_upgrade(program, chosen);
  add_sweep(program, chosen);
  add_validate(program, chosen);
  add_calibrate(program, chosen);
  add_topology(program, chosen);
  add_import(program, chosen);
  add_replay(program, chosen);
  add_export(program, chosen);
  add_catalogue(program, chosen);
  add_schema(program, chosen);
  add_serve(program, chosen);
  add_completion(program, chosen);
  add_man(program, chosen);
  add_fit_profiles(program, chosen);
  add_fit_kernels(program, chosen);
  add_color_option(program, color);
  add_footers(program, "stepcast");
}

// --help and --version end the parsing too, with a code of 0.
int end_of_parsing(const CLI::App& program, const CLI::ParseError& end, ColorChoice color) {
  if (end.get_exit_code() != 0) {
    complain(fmt::format("stepcast: {}\n  hint: --help lists what is understood", end.what()),
             color);
    return wrong_input_exit;
  }
  std::ostringstream text;
  program.exit(end, text, text);
  return print(text.str(), color);
}

int answer(int argc, char** argv) {
  CLI::App program("What will this training step cost on this cluster, and why?");
  Command chosen;
  ColorChoice color = ColorChoice::Auto;
  set_up(program, chosen, color);
  try {
    program.parse(argc, argv);
    if (!chosen) throw CLI::RequiredError("a command");
    return run(chosen, color);
  } catch (const CLI::ParseError& end) {
    return end_of_parsing(program, end, color);
  } catch (const InputError& error) {
    complain(error.what(), color);
    return wrong_input_exit;
  } catch (const std::exception& fault) {
    complain(fmt::format("stepcast: internal fault: {}", fault.what()), color);
    return fault_exit;
  }
}

}  // namespace
}  // namespace stepcast

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed stdout is an error of writing, not the end
  return stepcast::answer(argc, argv);
}
