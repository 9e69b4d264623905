// A command for this project's own use (scripts/fit_profiles): fits the built-in profiles to
// published runs and writes their files. Hidden from --help; no prediction needs it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <memory>

#include "calibration/memory_fit.h"
#include "calibration/profile_fit.h"
#include "cli/command.h"
#include "cli/fit_tables.h"
#include "cli/progress_line.h"
#include "cli/report_file.h"
#include "reports/csv.h"
#include "reports/numbers.h"
#include "reports/table.h"
#include "scenarios/catalogue.h"

namespace stepcast {
namespace {

struct FitOptions {
  std::vector<std::string> paths;
  std::string priors;
  std::vector<std::string> only;  ///< profiles to fit, "gpu/v100"; empty: all
  ProfileFitOptions fit;
  std::string misses;   ///< a CSV file; empty: none
  bool memory = false;  ///< peaks instead of step times
  bool write = false;
};

// Errors of either half of the runs, a row for each name that `row_of` gives; an empty one leaves a
// run out.
template <class RowOf>
std::string errors_table(const std::string& title, const ProfileFit& fit, const RowOf& row_of) {
  std::map<std::string, std::pair<FitErrors, FitErrors>> rows;
  for (const RunMiss& miss : fit.misses) {
    const std::string name = row_of(*miss.run);
    if (miss.run->stalled || name.empty()) continue;
    auto& [fitted, judging] = rows[name];
    (miss.fitted ? fitted : judging).add(std::exp(miss.miss) - 1);
  }
  std::vector<HalvesErrors> named;
  for (const auto& [name, halves] : rows) named.push_back({name, halves.first, halves.second});
  return halves_table(title, named);
}

std::string suites_table(const ProfileFit& fit) {
  return errors_table("Runs that are not stalled", fit,
                      [](const MeasuredRun& run) { return run.suite; });
}

// Whether gathered inputs are kept matters most where many ranks gather them.
std::string tensor_table(const ProfileFit& fit) {
  return errors_table("By tensor_parallel", fit, [](const MeasuredRun& run) {
    const int ranks = run.scenario.job.plan.tensor_parallel;
    return run.suite + (ranks <= 4 ? ", up to 4" : ", 8 and more");
  });
}

void write_misses(const ProfileFit& fit, const std::string& file) {
  std::string text = csv_line({"suite", "title", "half", "stalled", "measured_s", "predicted_s"});
  for (const RunMiss& miss : fit.misses) {
    const double measured = miss.run->step_time.value();
    text += csv_line({miss.run->suite, miss.run->scenario.title,
                      miss.run->fits ? "fitted" : "judging", miss.run->stalled ? "true" : "false",
                      csv_number(measured), csv_number(measured * std::exp(miss.miss))});
  }
  write_report_file(file, text);
}

std::vector<ProfilePrior> chosen_priors(const FitOptions& options) {
  std::vector<ProfilePrior> priors = read_priors(options.priors);
  if (options.only.empty()) return priors;
  std::vector<ProfilePrior> chosen;
  for (const std::string& profile : options.only) {
    const std::size_t before = chosen.size();
    std::copy_if(priors.begin(), priors.end(), std::back_inserter(chosen),
                 [&](const ProfilePrior& prior) { return prior.profile == profile; });
    if (chosen.size() == before) {
      throw InputError({options.priors, ""},
                       fmt::format("no prior is of {}, which --only names", profile));
    }
  }
  return chosen;
}

Answer run_fit(FitOptions options) {
  ProgressLine line(false);
  options.fit.watch = [&] { line.show_elapsed("fitting"); };
  const std::vector<ProfilePrior> priors = chosen_priors(options);
  std::vector<MeasuredRun> runs = read_measured_runs(options.paths);
  deal_halves(runs, options.fit.seed);
  if (!options.memory) mark_stalled(runs);
  const ProfileFit fit = options.memory ? fit_memory(priors, runs, options.fit)
                                        : fit_profiles(priors, runs, options.fit);
  if (!options.misses.empty()) write_misses(fit, options.misses);
  if (options.write) write_profiles(fit, catalogue_folder(), options.fit);
  const std::string tables =
      suites_table(fit) + (options.memory ? "\n" + tensor_table(fit) : std::string());
  return {fmt::format("{}\n{}\ndispersion {:.2f}, {} evaluations, {}\n", tables,
                      constants_table(fit.priors, fit.fit), fit.fit.dispersion, fit.fit.evaluations,
                      fit.fit.converged ? "converged" : "not converged")};
}

}  // namespace

void add_fit_profiles(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand(
      "fit-profiles", "Fit the built-in profiles to published runs and write their files");
  command->group("");
  const auto options = std::make_shared<FitOptions>();
  command->add_option("PATH", options->paths, "Suites of measured runs, or folders of them")
      ->required();
  command->add_option("--priors", options->priors, "Priors of the constants to fit")->required();
  command->add_option("--only", options->only,
                      "Fit these profiles, as gpu/v100, and leave the others as they are");
  command->add_option("--seed", options->fit.seed, "Of the split into fitted and judging runs");
  command->add_option("--most", options->fit.most_per_suite, "Runs of a suite that are fitted");
  command->add_option("--misses", options->misses, "Write every run's prediction as CSV");
  command->add_flag("--memory", options->memory, "Fit peaks of memory instead of step times");
  command->add_flag("--write", options->write, "Write the catalogue's profile files");
  command->callback([options, &chosen] { chosen = [options] { return run_fit(*options); }; });
}

}  // namespace stepcast
