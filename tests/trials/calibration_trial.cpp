// What a calibration by a few runs is worth: for each suite, constants are calibrated on three
// random runs and the others judge them, beside the built-in profile. A program for this project's
// own use: calibration_trial [--draws N] [--seed N] [--judged N] [--slower FACTOR] SUITE...
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/input_error.h"
#include "calibration/calibration.h"
#include "calibration/measured_runs.h"
#include "calibration/profile_fit.h"
#include "calibration/user_files.h"
#include "sim/predict.h"
#include "sim/search/step_clock.h"

namespace stepcast {
namespace {

struct Options {
  int draws = 20;
  std::uint64_t seed = 1;
  std::size_t judged = 40;  ///< runs that judge a draw, at most
  double slower = 1.0;      ///< makes every measured time longer: a cluster that differs as a whole
  std::vector<std::string> suites;
};

constexpr std::size_t kCalibrated = 3;
constexpr std::size_t kFewestRuns = 12;

// Runs of one GPU, framework and network share constants.
std::string group_of(const Scenario& scenario) {
  return fmt::format("{} {} {}", scenario.cluster.node.gpu.profile, word(scenario.job.framework),
                     scenario.profile.network.name);
}

// Of judged runs, draw by draw; those that stalled (stalled_runs.h) apart.
struct Errors {
  std::vector<double> before, after;  // of runs that did not stall
  int inside = 0;
  int judged = 0;  // by a calibration of their own group
  int stalled_inside = 0;
  int stalled = 0;
  int moved = 0;
  int calibrations = 0;
};

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

class Trial {
 public:
  Trial(std::vector<MeasuredRun> runs, const Options& options)
      : runs_(std::move(runs)), options_(options), random_(options.seed) {
    for (const MeasuredRun& run : runs_) {
      clocks_.push_back(std::make_shared<StepClock>(run.scenario));
      before_.push_back(clocks_.back()->step_time(run.scenario.profile).value());
    }
  }

  Errors run() {
    Errors errors;
    for (int draw = 0; draw < options_.draws; ++draw) one_draw(errors);
    return errors;
  }

 private:
  void one_draw(Errors& errors) {
    std::vector<std::size_t> order(runs_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    // Not std::shuffle, whose order is the library's own.
    for (std::size_t i = order.size() - 1; i > 0; --i)
      std::swap(order[i], order[random_() % (i + 1)]);
    std::vector<std::size_t> chosen, judging;
    for (const std::size_t run : order) {
      if (chosen.size() < kCalibrated && !runs_[run].stalled) {
        chosen.push_back(run);
      } else if (judging.size() < options_.judged) {
        judging.push_back(run);
      }
    }
    const std::map<std::string, Calibration> calibrations = calibrated(chosen);
    for (const auto& [group, calibration] : calibrations) {
      ++errors.calibrations;
      if (calibration.record.steps_moved) ++errors.moved;
    }
    for (const std::size_t run : judging) judge(run, calibrations, errors);
  }

  std::map<std::string, Calibration> calibrated(const std::vector<std::size_t>& chosen) {
    std::map<std::string, std::vector<Evidence>> evidence;
    std::map<std::string, const Scenario*> prior;
    std::map<std::string, std::vector<MeasuredLayout>> layouts;
    for (const std::size_t i : chosen) {
      const Scenario& scenario = runs_[i].scenario;
      const std::string group = group_of(scenario);
      evidence[group].push_back(step_evidence(scenario, runs_[i].step_time));
      layouts[group].push_back(layout_of(scenario));
      prior[group] = &scenario;
    }
    std::map<std::string, Calibration> all;
    for (const auto& [group, rows] : evidence) {
      Calibration calibration = calibrate(prior[group]->profile, rows);
      calibration.record.layouts = layouts[group];
      all.emplace(group, std::move(calibration));
    }
    return all;
  }

  void judge(std::size_t run, const std::map<std::string, Calibration>& calibrations,
             Errors& errors) {
    const double measured = runs_[run].step_time.value();
    const double before = std::abs(before_[run] / measured - 1);
    const bool stalled = runs_[run].stalled;
    if (!stalled) errors.before.push_back(before);
    const auto found = calibrations.find(group_of(runs_[run].scenario));
    if (found == calibrations.end()) {
      if (!stalled) errors.after.push_back(before);
      return;
    }
    Scenario scenario = runs_[run].scenario;
    scenario.profile = found->second.profile;
    scenario.calibration = std::make_shared<CalibrationRecord>(found->second.record);
    const StepReport report = predict(scenario, {.engine = EngineChoice::Analytic});
    if (!stalled) errors.after.push_back(std::abs(report.step_time.value() / measured - 1));
    const bool inside =
        report.step_time_low.value() <= measured && measured <= report.step_time_high.value();
    ++(stalled ? errors.stalled : errors.judged);
    if (inside) ++(stalled ? errors.stalled_inside : errors.inside);
  }

  std::vector<MeasuredRun> runs_;
  const Options& options_;
  std::mt19937_64 random_;
  std::vector<std::shared_ptr<StepClock>> clocks_;
  std::vector<double> before_;
};

Options options_of(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto number = [&] { return i + 1 < argc ? std::atoi(argv[++i]) : 0; };
    if (word == "--draws") {
      options.draws = number();
    } else if (word == "--seed") {
      options.seed = static_cast<std::uint64_t>(number());
    } else if (word == "--judged") {
      options.judged = static_cast<std::size_t>(number());
    } else if (word == "--slower") {
      options.slower = i + 1 < argc ? std::atof(argv[++i]) : 1.0;
    } else {
      options.suites.emplace_back(word);
    }
  }
  return options;
}

double share(int part, int whole) { return 100.0 * part / std::max(1, whole); }

void try_suite(const std::string& file, const Options& options) {
  std::vector<MeasuredRun> runs = read_measured_runs({file});
  mark_stalled(runs);
  for (MeasuredRun& run : runs) run.step_time = run.step_time * options.slower;
  const auto stalled = static_cast<std::size_t>(
      std::count_if(runs.begin(), runs.end(), [](const MeasuredRun& run) { return run.stalled; }));
  if (runs.size() - stalled < kFewestRuns) return;
  const std::string suite = runs.front().suite;
  const std::size_t count = runs.size();
  const Errors errors = Trial(std::move(runs), options).run();
  fmt::print("{:<22} {:>4} {:>7} {:>9.2f} % {:>6.2f} % {:>6.0f} % {:>8.0f} % {:>10.0f} %\n", suite,
             count, stalled, 100 * mean(errors.before), 100 * mean(errors.after),
             share(errors.inside, errors.judged),
             share(errors.inside + errors.stalled_inside, errors.judged + errors.stalled),
             share(errors.moved, errors.calibrations));
  std::fflush(stdout);
}

}  // namespace
}  // namespace stepcast

int main(int argc, char** argv) {
  using namespace stepcast;
  try {
    const Options options = options_of(argc, argv);
    fmt::print("calibrated on 3 random runs, {} draws, seed {}, at most {} judges a draw\n",
               options.draws, options.seed, options.judged);
    fmt::print("{:<22} {:>4} {:>7} {:>11} {:>8} {:>8} {:>10} {:>12}\n", "suite", "runs", "stalled",
               "MAPE before", "after", "in 90 %", "with stalls", "moved");
    for (const std::string& path : options.suites) {
      for (const std::string& file : scenario_files(path)) try_suite(file, options);
    }
  } catch (const InputError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
  return 0;
}
