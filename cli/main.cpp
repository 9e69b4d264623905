// The program: reads the command line, runs one command, prints its answer whole.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>

#include "base/input_error.h"
#include "cli/command.h"

namespace stepcast {
namespace {

constexpr const char* examples = R"(Examples:
  stepcast predict scenarios/guide/65b_8_nodes.json
  stepcast predict scenarios/guide/65b_8_nodes.json --set plan.tensor_parallel=8 --format json
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
  stepcast serve scenarios/guide/65b_8_nodes.json

Exit code 0 is an answer (running out of memory is one), 2 wrong input, 1 a fault of the program.)";

void complain(const std::string& message) { std::fputs((message + "\n").c_str(), stderr); }

int print(const std::string& output) {
  const bool written = std::fwrite(output.data(), 1, output.size(), stdout) == output.size();
  if (written && std::fflush(stdout) == 0) return 0;
  complain("stepcast: cannot write to stdout");
  return fault_exit;
}

int run(const Command& command) {
  const Answer answer = command();
  const int printed = print(answer.output);
  return printed == 0 ? answer.exit_code : printed;
}

void set_up(CLI::App& program, Command& chosen) {
  program.name("stepcast");
  program.set_version_flag("--version", "stepcast " STEPCAST_VERSION);
  program.footer(examples);
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
}

// --help and --version end the parsing too, with a code of 0.
int end_of_parsing(const CLI::App& program, const CLI::ParseError& end) {
  if (end.get_exit_code() != 0) {
    complain(fmt::format("stepcast: {}\n  hint: --help lists what is understood", end.what()));
    return wrong_input_exit;
  }
  std::ostringstream text;
  program.exit(end, text, text);
  return print(text.str());
}

int answer(int argc, char** argv) {
  CLI::App program("What will this training step cost on this cluster, and why?");
  Command chosen;
  set_up(program, chosen);
  try {
    program.parse(argc, argv);
    if (!chosen) throw CLI::RequiredError("a command");
    return run(chosen);
  } catch (const CLI::ParseError& end) {
    return end_of_parsing(program, end);
  } catch (const InputError& error) {
    complain(error.what());
    return wrong_input_exit;
  } catch (const std::exception& fault) {
    complain(fmt::format("stepcast: internal fault: {}", fault.what()));
    return fault_exit;
  }
}

}  // namespace
}  // namespace stepcast

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed stdout is an error of writing, not the end
  return stepcast::answer(argc, argv);
}
