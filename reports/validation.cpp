#include "reports/validation.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/contract.h"
#include "base/statistics.h"
#include "calibration/measured_runs.h"
#include "calibration/stalled_runs.h"
#include "sim/claims.h"

namespace stepcast {
namespace {

std::optional<double> mean(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

std::vector<double> sizes(std::vector<double> values) {
  for (double& value : values) value = std::abs(value);
  return values;
}

std::vector<double> errors(std::span<const ValidationRun> runs,
                           std::optional<Judged> ValidationRun::*figure) {
  std::vector<double> errors;
  for (const ValidationRun& run : runs) {
    if (const std::optional<Judged>& judged = run.*figure) errors.push_back(judged->error());
  }
  return errors;
}

void count_oom(OomCounts& counts, bool predicted, bool measured) {
  if (measured) {
    ++(predicted ? counts.true_positive : counts.false_negative);
  } else {
    ++(predicted ? counts.false_positive : counts.true_negative);
  }
}

}  // namespace

bool ValidationRun::in_interval() const {
  STEPCAST_REQUIRES(step_time.has_value());
  return low.value() <= step_time->measured && step_time->measured <= high.value();
}

ValidationRun validation_run(const Scenario& scenario, const StepReport& report) {
  ValidationRun run;
  run.title = scenario.title;
  run.predicted_step_time = report.step_time;
  run.low = report.step_time_low;
  run.high = report.step_time_high;
  run.predicted_fits = report.fits;
  run.oom_probability = report.oom_probability;
  if (!scenario.measured) return run;
  const Figures& measured = *scenario.measured;
  const std::optional<Seconds> step_time = measured_step_time(scenario);
  if (step_time) run.step_time = {report.step_time.value(), step_time->value()};
  if (measured.peak_memory) {
    run.peak_memory = {measured_peak(report.memory, measured).value(),
                       measured.peak_memory->value()};
  }
  run.measured_fits = measured.fits;
  run.fits_is_inferred = measured.fits_is_inferred;
  if (!measured.fits && (run.step_time || run.peak_memory)) run.measured_fits = true;
  return run;
}

ValidationFigures validation_figures(std::span<const ValidationRun> runs) {
  ValidationFigures figures;
  figures.runs = static_cast<int>(runs.size());
  const std::vector<double> step_errors = errors(runs, &ValidationRun::step_time);
  figures.timed_runs = static_cast<int>(step_errors.size());
  figures.step_time_mape = mean(sizes(step_errors));
  figures.step_time_median_error = median(sizes(step_errors));
  figures.step_time_bias = mean(step_errors);
  figures.peak_memory_mape = mean(sizes(errors(runs, &ValidationRun::peak_memory)));
  std::vector<double> inside;
  std::vector<double> widths;
  for (const ValidationRun& run : runs) {
    if (run.step_time) {
      inside.push_back(run.in_interval() ? 1.0 : 0.0);
      widths.push_back(run.interval_width());
      figures.stalled += run.stalled ? 1 : 0;
    }
    if (!run.measured_fits) continue;
    count_oom(run.fits_is_inferred ? figures.oom_inferred : figures.oom, !run.predicted_fits,
              !*run.measured_fits);
  }
  figures.interval_coverage_90 = mean(inside);
  figures.median_interval_width = median(widths);
  return figures;
}

void mark_stalled(ValidationSuite& suite, std::span<const Scenario* const> scenarios) {
  STEPCAST_REQUIRES(suite.runs.size() == scenarios.size());
  std::vector<RunTime> times;
  std::vector<ValidationRun*> timed;
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    ValidationRun& run = suite.runs[i];
    if (!run.step_time) continue;
    times.push_back({scenarios[i], suite.title, Seconds(run.step_time->measured),
                     Seconds(run.step_time->predicted)});
    timed.push_back(&run);
  }
  const std::vector<bool> stalled = stalled_runs(times);
  for (std::size_t i = 0; i < timed.size(); ++i) timed[i]->stalled = stalled[i];
}

std::vector<ValidationRun> unstalled_runs(std::span<const ValidationRun> runs) {
  std::vector<ValidationRun> unstalled;
  std::copy_if(runs.begin(), runs.end(), std::back_inserter(unstalled),
               [](const ValidationRun& run) { return !run.stalled; });
  return unstalled;
}

std::optional<double> ReliabilityBin::share_that_ran() const {
  if (ran + failed == 0) return std::nullopt;
  return static_cast<double>(ran) / (ran + failed);
}

std::vector<ReliabilityBin> oom_reliability(std::span<const ValidationRun> runs) {
  constexpr std::array<double, 8> edges{0.0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0};
  std::vector<ReliabilityBin> bins;
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
    bins.push_back({.from = edges[i], .to = edges[i + 1]});
  }
  for (const ValidationRun& run : runs) {
    if (!run.measured_fits) continue;
    const auto above = std::upper_bound(edges.begin() + 1, edges.end() - 1, run.oom_probability);
    ReliabilityBin& bin = bins[static_cast<std::size_t>(above - edges.begin()) - 1];
    const int before = bin.ran + bin.failed + bin.failed_inferred;
    bin.mean_probability += (run.oom_probability - bin.mean_probability) / (before + 1);
    ++(*run.measured_fits ? bin.ran : run.fits_is_inferred ? bin.failed_inferred : bin.failed);
  }
  return bins;
}

std::vector<ValidationRun> worst_runs(const ValidationSuite& suite, std::size_t count) {
  std::vector<ValidationRun> timed;
  std::copy_if(suite.runs.begin(), suite.runs.end(), std::back_inserter(timed),
               [](const ValidationRun& run) { return run.step_time.has_value(); });
  std::stable_sort(timed.begin(), timed.end(), [](const auto& a, const auto& b) {
    return std::abs(a.step_time->error()) > std::abs(b.step_time->error());
  });
  timed.resize(std::min(timed.size(), count));
  return timed;
}

std::vector<ValidationRun> all_runs(std::span<const ValidationSuite> suites) {
  std::vector<ValidationRun> runs;
  for (const ValidationSuite& suite : suites) {
    runs.insert(runs.end(), suite.runs.begin(), suite.runs.end());
  }
  return runs;
}

}  // namespace stepcast
