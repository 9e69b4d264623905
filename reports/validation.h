// Predictions beside measurements: the error of each and what the errors add up to.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/units.h"
#include "scenarios/scenario.h"
#include "sim/step_report.h"

namespace stepcast {

/// A figure that was measured and predicted.
struct Judged {
  double predicted = 0;
  double measured = 0;
  double error() const { return predicted / measured - 1.0; }
};

struct ValidationRun {
  std::string title;
  Seconds predicted_step_time;
  Seconds low, high;                  ///< of the prediction, 5 % and 95 %
  std::optional<Judged> step_time;    ///< seconds
  std::optional<Judged> peak_memory;  ///< bytes, of the kind that was measured
  bool predicted_fits = true;
  double oom_probability = 0;
  std::optional<bool> measured_fits;
  bool fits_is_inferred = false;
  bool stalled = false;  ///< calibration/stalled_runs.h

  double interval_width() const { return (high - low) / predicted_step_time; }
  bool in_interval() const;  ///< Requires a measured step time.
};

/// A measured throughput counts as a step time. A run with a measured step time or memory did fit,
/// unless its source says otherwise.
ValidationRun validation_run(const Scenario& scenario, const StepReport& report);

/// Positive: it runs out of memory.
struct OomCounts {
  int true_positive = 0;
  int false_positive = 0;
  int true_negative = 0;
  int false_negative = 0;
};

/// Runs whose predicted probability of running out lies in [from, to), beside what came of them.
struct ReliabilityBin {
  double from = 0;
  double to = 1;
  double mean_probability = 0;  ///< of its runs; 0 without any
  int ran = 0;
  int failed = 0;                                ///< as the source says
  int failed_inferred = 0;                       ///< as was guessed: no evidence
  std::optional<double> share_that_ran() const;  ///< of those whose end the source states
};

/// Every run whose end is known, in bins that are narrower where most runs are.
std::vector<ReliabilityBin> oom_reliability(std::span<const ValidationRun> runs);

/// Over many runs; empty where no run was measured so. Errors are shares of the measured figure.
struct ValidationFigures {
  int runs = 0;
  int timed_runs = 0;
  std::optional<double> step_time_mape;          ///< mean of |error|
  std::optional<double> step_time_median_error;  ///< median of |error|
  std::optional<double> step_time_bias;          ///< mean of error
  std::optional<double> peak_memory_mape;
  OomCounts oom;           ///< where the source says whether it fitted
  OomCounts oom_inferred;  ///< where that is a guess
  std::optional<double> interval_coverage_90;
  std::optional<double> median_interval_width;  ///< (95 % - 5 %) / prediction
  int stalled = 0;
};

ValidationFigures validation_figures(std::span<const ValidationRun> runs);

/// A run without an answer.
struct ValidationError {
  std::string title;
  std::string message;
};

struct ValidationSuite {
  std::string title;
  std::vector<ValidationRun> runs;
  std::vector<ValidationError> errors;
};

/// Marks the runs of a suite that stalled beside their siblings. `scenarios`: of the suite's runs,
/// in their order.
void mark_stalled(ValidationSuite& suite, std::span<const Scenario* const> scenarios);

/// The runs that did not stall.
std::vector<ValidationRun> unstalled_runs(std::span<const ValidationRun> runs);

/// The runs with a measured step time, furthest off first, at most `count`.
std::vector<ValidationRun> worst_runs(const ValidationSuite& suite, std::size_t count);

/// All runs of all suites.
std::vector<ValidationRun> all_runs(std::span<const ValidationSuite> suites);

/// The contract's keys over all suites, `suites` with the same figures each, and `errors` where
/// there are any. Figures that no run was measured for are null; times are seconds.
nlohmann::ordered_json validation_json(std::span<const ValidationSuite> suites);

std::string validation_csv(std::span<const ValidationSuite> suites);

/// A row of figures for each suite and for all, and each suite's worst runs.
std::string validation_text(std::span<const ValidationSuite> suites);

}  // namespace stepcast
