#include "calibration/memory_fit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "calibration/logistic_fit.h"
#include "sim/memory_gauge.h"

namespace stepcast {
namespace {

// The run tells the cases apart where they differ by this much.
constexpr double kTellingDifference = 0.1;
constexpr int kRounds = 2;

class GaugedRun {
 public:
  GaugedRun(const MeasuredRun& run, const std::vector<ProfilePrior>& priors)
      : run_(run),
        kind_(run.scenario.measured->memory_kind),
        place_(run.scenario.measured->measured_place()),
        measured_(*run.scenario.measured->peak_memory),
        gauge_(run.scenario),
        profile_(std::make_unique<Profile>(run.scenario.profile)) {
    constants_ = fitted_constants(*profile_, priors);
  }

  const MeasuredRun& run() const { return run_; }
  Bytes measured() const { return measured_; }
  bool is_held_sometimes() const {
    return profile_->framework.memory.held_inputs.time.value > Seconds() &&
           !run_.scenario.job.plan.keep_gathered_inputs &&
           run_.scenario.job.plan.tensor_parallel > 1;
  }

  PeakCases cases(std::span<const double> values) {
    for (auto& [index, constant] : constants_) constant.set_value(values[index]);
    return peak_cases(gauge_.peak_stage(*profile_, kind_, place_), kind_);
  }

  // Of the case that is nearer to the measurement, as long as both are possible.
  double nearer(std::span<const double> values) {
    const PeakCases peak = cases(values);
    return held(peak) ? peak.with.value() : peak.without.value();
  }

  double expected(std::span<const double> values) {
    const PeakCases peak = cases(values);
    return (peak.likelihood >= 0.5 ? peak.with : peak.without).value();
  }

  bool held(const PeakCases& peak) const {
    const bool open = peak.likelihood > 0.0 && peak.likelihood < 1.0;
    if (!open) return peak.likelihood >= 0.5;
    return std::abs(std::log(peak.with / measured_)) < std::abs(std::log(peak.without / measured_));
  }

 private:
  const MeasuredRun& run_;
  MemoryKind kind_;
  MemoryPlace place_;
  Bytes measured_;
  MemoryGauge gauge_;
  std::unique_ptr<Profile> profile_;  // the constants point into it
  FittedConstants constants_;
};

std::vector<GaugedRun> gauged(const std::vector<MeasuredRun>& runs, bool fitted,
                              const std::vector<ProfilePrior>& priors, std::size_t most) {
  std::map<std::string, std::vector<const MeasuredRun*>> suites;
  for (const MeasuredRun& run : runs) {
    if (run.fits == fitted && run.scenario.measured->peak_memory) suites[run.suite].push_back(&run);
  }
  std::vector<GaugedRun> gauged;
  for (const auto& [suite, all] : suites) {
    const std::size_t count = fitted ? std::min(most, all.size()) : all.size();
    for (std::size_t i = 0; i < count; ++i) {
      gauged.emplace_back(*all[i * all.size() / count], priors);
    }
  }
  return gauged;
}

// Where a constant of HeldInputs stands among the priors; -1: it is not fitted.
int place_of(const std::vector<ProfilePrior>& priors, std::string_view constant) {
  const auto place = std::find_if(priors.begin(), priors.end(), [&](const ProfilePrior& prior) {
    return prior.constant == constant;
  });
  return place == priors.end() ? -1 : static_cast<int>(place - priors.begin());
}

// likelihood = 1 / (1 + (F / time (GPUs / 8)^b)^power): log odds are linear in log F and log GPUs.
void fit_held_inputs(std::vector<GaugedRun>& runs, const std::vector<ProfilePrior>& priors,
                     std::vector<double>& values) {
  const int time = place_of(priors, "memory/held_inputs/time");
  const int power = place_of(priors, "memory/held_inputs/power");
  const int gpus_power = place_of(priors, "memory/held_inputs/gpus_power");
  if (time < 0 || power < 0 || gpus_power < 0) return;
  std::vector<double> plain = values;  // with these the odds are F itself
  plain[static_cast<std::size_t>(time)] = 1.0;
  plain[static_cast<std::size_t>(power)] = 1.0;
  plain[static_cast<std::size_t>(gpus_power)] = 0.0;
  std::vector<LogisticCase> cases;
  for (GaugedRun& run : runs) {
    if (!run.is_held_sometimes()) continue;
    const PeakCases peak = run.cases(plain);
    if (peak.with / peak.without - 1.0 < kTellingDifference) continue;
    const ParallelPlan& plan = run.run().scenario.job.plan;
    const double gpus = static_cast<double>(plan.tensor_parallel) * plan.pipeline_parallel *
                        plan.data_parallel * plan.context_parallel;
    const double log_time = std::log(1.0 / peak.likelihood - 1.0);
    cases.push_back({{1.0, log_time, std::log(gpus / 8.0)}, run.held(peak)});
  }
  constexpr std::array<double, 3> prior{0.0, -1.5, -0.5};
  constexpr double spread = 2.0;
  const std::array<double, 3> z = fit_logistic(cases, prior, spread);
  values[static_cast<std::size_t>(power)] = -z[1];
  values[static_cast<std::size_t>(time)] = std::exp(-z[0] / z[1]);
  values[static_cast<std::size_t>(gpus_power)] = std::max(0.0, z[2] / z[1]);
}

bool is_of_held_inputs(const ProfilePrior& prior) {
  return prior.constant.starts_with("memory/held_inputs/");
}

FitProblem problem_of(const std::vector<ProfilePrior>& priors, const std::vector<GaugedRun>& runs,
                      double noise) {
  FitProblem problem;
  for (const ProfilePrior& prior : priors) {
    if (is_of_held_inputs(prior)) continue;
    problem.parameters.push_back(
        {prior.profile + ":" + prior.constant, prior.value, prior.spread, FitScale::Logarithmic});
  }
  std::map<std::string, std::size_t> sizes;
  for (const GaugedRun& run : runs) ++sizes[run.run().suite];
  for (const GaugedRun& run : runs) {
    const double weight = suite_weight(sizes.at(run.run().suite));
    problem.measurements.push_back(
        {run.run().scenario.title, run.measured().value(), noise / std::sqrt(weight)});
  }
  return problem;
}

// The fit's parameters leave out those of HeldInputs, which it knows nothing of.
std::vector<double> with_parameters(std::vector<double> values,
                                    const std::vector<ProfilePrior>& priors,
                                    std::span<const double> parameters) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < priors.size(); ++i) {
    if (!is_of_held_inputs(priors[i])) values[i] = parameters[next++];
  }
  return values;
}

std::vector<FittedParameter> all_parameters(const std::vector<double>& values,
                                            const std::vector<ProfilePrior>& priors,
                                            const MapFit& fit) {
  std::vector<FittedParameter> parameters;
  std::size_t next = 0;
  for (std::size_t i = 0; i < priors.size(); ++i) {
    if (is_of_held_inputs(priors[i])) {
      parameters.push_back({values[i], priors[i].spread, 1.0});
    } else {
      parameters.push_back(fit.parameters[next++]);
    }
  }
  return parameters;
}

}  // namespace

ProfileFit fit_memory(const std::vector<ProfilePrior>& priors, const std::vector<MeasuredRun>& runs,
                      const ProfileFitOptions& options) {
  std::vector<GaugedRun> fitted = gauged(runs, true, priors, options.most_per_suite);
  std::vector<double> values;
  for (const ProfilePrior& prior : priors) values.push_back(prior.value);
  FitProblem problem = problem_of(priors, fitted, options.noise);
  problem.watch = options.watch;
  problem.predict = [&](std::span<const double> parameters) {
    const std::vector<double> all = with_parameters(values, priors, parameters);
    std::vector<double> peaks;
    for (GaugedRun& run : fitted) peaks.push_back(run.nearer(all));
    return peaks;
  };
  ProfileFit result{priors, {}, {}};
  for (int round = 0; round < kRounds; ++round) {
    result.fit = fit_map(problem);
    std::vector<double> parameters;
    for (const FittedParameter& parameter : result.fit.parameters) {
      parameters.push_back(parameter.value);
    }
    values = with_parameters(values, priors, parameters);
    fit_held_inputs(fitted, priors, values);
  }
  result.fit.parameters = all_parameters(values, priors, result.fit);
  std::vector<GaugedRun> judging = gauged(runs, false, priors, options.most_per_suite);
  for (std::vector<GaugedRun>* half : {&fitted, &judging}) {
    for (GaugedRun& run : *half) {
      const double miss = std::log(run.expected(values) / run.measured().value());
      result.misses.push_back({&run.run(), half == &fitted, miss});
    }
  }
  return result;
}

}  // namespace stepcast
