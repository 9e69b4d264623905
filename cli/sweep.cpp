#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/input_error.h"
#include "base/output_file.h"
#include "cli/command.h"
#include "cli/report_file.h"
#include "cli/search.h"
#include "reports/html.h"
#include "reports/json.h"

namespace stepcast {
namespace {

struct SweepOptions {
  ScenarioOptions scenario;
  SearchOptions search;
  std::optional<std::string> rows;  // a file, or "-": in the answer
  std::optional<std::string> best;  // a file for the best layout's scenario
};

constexpr const char* in_the_answer = "-";

bool rows_to_file(const SweepOptions& options) {
  return options.rows && *options.rows != in_the_answer;
}

bool is_csv(const std::string& file) { return file.ends_with(".csv"); }

// Told before minutes of searching.
void check_files(const SweepOptions& options) {
  check_report_file(options.scenario.report);
  if (options.best) check_output_file(*options.best, "the best layout", "--best");
  if (!rows_to_file(options)) return;
  if (!is_csv(*options.rows) && !options.rows->ends_with(".jsonl")) {
    throw InputError({*options.rows, ""}, "rows are written as CSV or as JSON lines",
                     "--rows takes a file that ends in .csv or .jsonl, or - for the answer itself");
  }
  check_output_file(*options.rows, "the rows", "--rows");
}

void write_files(const SweepOptions& options, const SweepAnswer& answer) {
  if (options.best && !answer.front.empty()) {
    write_output_file(*options.best, "the best layout", "--best",
                      json_text(scenario_to_json(answer.front.front().scenario)));
  }
  if (options.scenario.report) {
    write_report_file(*options.scenario.report, sweep_html(answer));
  }
  if (!rows_to_file(options)) return;
  const std::string text =
      is_csv(*options.rows) ? sweep_rows_csv(answer) : sweep_rows_jsonl(answer);
  write_output_file(*options.rows, "the rows", "--rows", text);
}

Answer answer_of(const SweepOptions& options, const SweepAnswer& answer) {
  write_files(options, answer);
  const bool rows = options.rows == in_the_answer;
  switch (options.scenario.format) {
    case Format::Text:
      return report(sweep_text(answer, rows));
    case Format::Json:
      return {json_text(sweep_json(answer, rows))};
    case Format::Csv:
      return {sweep_rows_csv(answer)};
  }
  return {};
}

SearchRequest read(const SweepOptions& options) {
  const std::vector<std::string>& paths = options.scenario.paths;
  if (paths.size() != 1) {
    throw InputError({paths[1], ""}, "a sweep is of one scenario",
                     "stepcast compare --search takes several");
  }
  return read_search(paths.front(), options.scenario.read);
}

// Every rank reads for itself; rank 0 says what is wrong, also with another rank.
Answer run_as_rank(const SweepOptions& options) {
  std::optional<SearchRequest> request;
  std::optional<LayoutSpace> space;
  std::string problem;
  try {
    request = read(options);
    space.emplace(*request);
    check_files(options);
  } catch (const InputError& error) {
    if (is_first_rank()) throw;
    problem = error.what();
  }
  const auto answer =
      search_on_all_ranks(space ? &*space : nullptr, problem, options.scenario, options.search);
  return answer ? answer_of(options, *answer) : Answer{};
}

Answer run_sweep(const SweepOptions& options) {
  if (is_mpi_job()) return run_as_rank(options);
  const SearchRequest request = read(options);
  check_files(options);
  const LayoutSpace space(request);
  return answer_of(options, search(space, options.scenario, options.search));
}

}  // namespace

void add_sweep(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand(
      "sweep", "The best layout of a scenario's model on its cluster, with proof");
  const auto options = std::make_shared<SweepOptions>();
  options->scenario.engine = EngineChoice::Auto;
  add_scenario_options(*command, options->scenario);
  add_report_option(*command, options->scenario.report);
  add_goal_options(*command, options->scenario.read);
  add_time_limit(*command, options->search);
  command
      ->add_option("--db", options->search.database,
                   "Keep results in this SQLite database, and go on from what it holds")
      ->type_name("FILE.sqlite");
  command
      ->add_option("--rows", options->rows,
                   "Write every predicted layout as CSV or JSON lines; - puts them in the answer")
      ->type_name("FILE.csv|FILE.jsonl|-");
  command->add_option("--best", options->best, "Write the best layout as a scenario")
      ->type_name("FILE.json");
  command->footer(
      "What is searched stands in the scenario's key \"search\" and in lists in its cluster:\n"
      "every valid layout unless said. Over several machines: mpirun -n N stepcast sweep ...");
  command->callback([options, &chosen] { chosen = [options] { return run_sweep(*options); }; });
}

}  // namespace stepcast
