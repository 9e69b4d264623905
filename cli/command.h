// What the commands share: how each joins the program, and the options that most of them take.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scenarios/scenario.h"
#include "sim/run.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's name
class App;
}

namespace stepcast {

/// Exit codes beside 0, which is an answer.
inline constexpr int fault_exit = 1;
inline constexpr int wrong_input_exit = 2;

/// What a command prints on stdout, all at once, and what the program exits with.
struct Answer {
  std::string output;
  int exit_code = 0;
  bool is_report = false;  ///< for people: headings and verdicts may be coloured
  std::string notes = {};  ///< on stderr: what people should know beside the output
};

/// A report for people.
inline Answer report(std::string text, int exit_code = 0) {
  return {std::move(text), exit_code, true};
}

using Command = std::function<Answer()>;

/// Each adds a command to the program; `chosen` becomes its work when the user names it. The work
/// throws InputError where the input is wrong.
void add_predict(CLI::App& program, Command& chosen);
void add_compare(CLI::App& program, Command& chosen);
void add_sensitivity(CLI::App& program, Command& chosen);
void add_upgrade(CLI::App& program, Command& chosen);
void add_sweep(CLI::App& program, Command& chosen);
void add_validate(CLI::App& program, Command& chosen);
void add_calibrate(CLI::App& program, Command& chosen);
void add_topology(CLI::App& program, Command& chosen);
void add_import(CLI::App& program, Command& chosen);
void add_replay(CLI::App& program, Command& chosen);
void add_export(CLI::App& program, Command& chosen);
void add_catalogue(CLI::App& program, Command& chosen);
void add_schema(CLI::App& program, Command& chosen);
void add_serve(CLI::App& program, Command& chosen);
void add_completion(CLI::App& program, Command& chosen);
void add_man(CLI::App& program, Command& chosen);
void add_fit_profiles(CLI::App& program, Command& chosen);
void add_fit_kernels(CLI::App& program, Command& chosen);

enum class Format { Text, Json, Csv };

/// What every command that takes scenarios understands.
struct ScenarioOptions {
  std::vector<std::string> paths;
  ReadOptions read;
  EngineChoice engine = EngineChoice::Event;
  Format format = Format::Text;
  std::optional<std::string> report;  ///< the page's file; none where a command offers no page
  bool links = false;                 ///< whether links' loads are wanted
  int jobs = 1;
  bool quiet = false;
};

/// Adds the options; `options.engine` as it stands is the command's default. There are as many jobs
/// as cores unless said. CSV is offered by commands whose answer is `in_rows`.
void add_scenario_options(CLI::App& command, ScenarioOptions& options, bool in_rows = true);

}  // namespace stepcast
