#include "calibration/profile_fit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <span>
#include <thread>

#include "calibration/profile_noise.h"
#include "calibration/stalled_runs.h"
#include "models/stalls.h"
#include "sim/search/step_clock.h"

namespace stepcast {
namespace {

// One run, its clock, and the constants of its profile that are fitted.
class TimedRun {
 public:
  TimedRun(const MeasuredRun& run, const std::vector<ProfilePrior>& priors)
      : clock_(run.scenario), profile_(std::make_unique<Profile>(run.scenario.profile)) {
    constants_ = fitted_constants(*profile_, priors);
  }

  // A fit moves one value at a time, and most runs do not depend on it: what is known is kept.
  double step_time(std::span<const double> values) {
    std::vector<double> own;
    for (const auto& [index, constant] : constants_) own.push_back(values[index]);
    const auto known = times_.find(own);
    if (known != times_.end()) return known->second;
    for (std::size_t i = 0; i < own.size(); ++i) constants_[i].second.set_value(own[i]);
    const double time = clock_.step_time(*profile_).value();
    constexpr std::size_t kKept = 64;
    if (times_.size() >= kKept) times_.clear();
    times_.emplace(std::move(own), time);
    return time;
  }

 private:
  StepClock clock_;
  std::unique_ptr<Profile> profile_;  // the constants point into it
  FittedConstants constants_;
  std::map<std::vector<double>, double> times_;
};

// All runs at once, on as many threads as there are cores.
std::vector<double> step_times(std::vector<TimedRun>& runs, std::span<const double> values) {
  std::vector<double> times(runs.size());
  const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::thread> pool;
  for (std::size_t t = 0; t < threads; ++t) {
    pool.emplace_back([&, t] {
      for (std::size_t i = t; i < runs.size(); i += threads) times[i] = runs[i].step_time(values);
    });
  }
  for (std::thread& thread : pool) thread.join();
  return times;
}

std::vector<TimedRun> timed(const std::vector<const MeasuredRun*>& runs,
                            const std::vector<ProfilePrior>& priors) {
  std::vector<TimedRun> timed;
  timed.reserve(runs.size());
  for (const MeasuredRun* run : runs) timed.emplace_back(*run, priors);
  return timed;
}

struct Halves {
  std::vector<const MeasuredRun*> fitted;
  std::vector<const MeasuredRun*> judging;
};

bool foreseen_to_stall(const MeasuredRun& run) {
  const Scenario& scenario = run.scenario;
  return stall_risk(scenario.job, scenario.profile.framework.stalls, scenario.cluster).expected();
}

// Of a suite with more than `most` runs to fit, evenly spaced ones. None that stalled or did not
// against what is foreseen.
Halves halves(const std::vector<MeasuredRun>& runs, std::size_t most) {
  std::map<std::string, std::vector<const MeasuredRun*>> fitting;
  Halves halves;
  for (const MeasuredRun& run : runs) {
    if (!run.fits) halves.judging.push_back(&run);
    if (run.fits && run.stalled == foreseen_to_stall(run)) fitting[run.suite].push_back(&run);
  }
  for (const auto& [suite, all] : fitting) {
    const std::size_t count = std::min(most, all.size());
    for (std::size_t i = 0; i < count; ++i) {
      halves.fitted.push_back(all[i * all.size() / count]);
    }
  }
  return halves;
}

std::map<std::string, std::size_t> suite_sizes(const std::vector<const MeasuredRun*>& runs) {
  std::map<std::string, std::size_t> sizes;
  for (const MeasuredRun* run : runs) ++sizes[run->suite];
  return sizes;
}

using Jitters = std::map<std::string, ProfileNoise::Spread>;  // by habitat

// What is asked of a run: less of one on many nodes where its framework suffers from the network,
// and of one among many.
double noise_of_run(const MeasuredRun& run, std::size_t runs_in_suite, double noise,
                    const Jitters& jitters) {
  const auto place = jitters.find(habitat(run));
  const double jitter = place == jitters.end() ? 0.0 : place->second.value;
  const double nodes = run.scenario.cluster.nodes > 1 ? run.scenario.cluster.nodes : 0;
  return std::sqrt((noise * noise + jitter * jitter * nodes) / suite_weight(runs_in_suite));
}

FitProblem problem_of(const std::vector<ProfilePrior>& priors,
                      const std::vector<const MeasuredRun*>& runs, double noise,
                      const Jitters& jitters) {
  FitProblem problem;
  for (const ProfilePrior& prior : priors) {
    problem.parameters.push_back(
        {prior.profile + ":" + prior.constant, prior.value, prior.spread, FitScale::Logarithmic});
  }
  const std::map<std::string, std::size_t> sizes = suite_sizes(runs);
  for (const MeasuredRun* run : runs) {
    problem.measurements.push_back({run->scenario.title, run->step_time.value(),
                                    noise_of_run(*run, sizes.at(run->suite), noise, jitters)});
  }
  return problem;
}

std::vector<double> values_of(const MapFit& fit) {
  std::vector<double> values;
  for (const FittedParameter& parameter : fit.parameters) values.push_back(parameter.value);
  return values;
}

std::vector<RunMiss> misses_of(const std::vector<const MeasuredRun*>& runs, bool fitted,
                               std::vector<TimedRun>& clocks, std::span<const double> values) {
  const std::vector<double> times = step_times(clocks, values);
  std::vector<RunMiss> misses;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    misses.push_back({runs[i], fitted, std::log(times[i] / runs[i]->step_time.value())});
  }
  return misses;
}

}  // namespace

bool uses_profile(const Profile& used, std::string_view profile) {
  return profile == "gpu/" + used.gpu.name || profile == "network/" + used.network.name ||
         profile == "framework/" + used.framework.name;
}

FittedConstants fitted_constants(Profile& profile, const std::vector<ProfilePrior>& priors) {
  std::map<std::string, ConstantRef> by_path;
  for (const ConstantRef& constant : constants_of(profile)) {
    by_path.emplace(constant.path(), constant);
  }
  FittedConstants fitted;
  for (std::size_t i = 0; i < priors.size(); ++i) {
    if (!uses_profile(profile, priors[i].profile)) continue;
    const std::string kind = priors[i].profile.substr(0, priors[i].profile.find('/'));
    fitted.emplace_back(i, by_path.at(kind + "/" + priors[i].constant));
  }
  return fitted;
}

void mark_stalled(std::vector<MeasuredRun>& runs) {
  std::vector<RunTime> times;
  for (const MeasuredRun& run : runs) {
    StepClock clock(run.scenario);
    times.push_back(
        {&run.scenario, run.suite, run.step_time, clock.step_time(run.scenario.profile)});
  }
  const std::vector<bool> stalled = stalled_runs(times);
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].stalled = stalled[i];
}

ProfileFit fit_profiles(const std::vector<ProfilePrior>& priors,
                        const std::vector<MeasuredRun>& runs, const ProfileFitOptions& options) {
  const auto [fitted, judging] = halves(runs, options.most_per_suite);
  std::vector<TimedRun> fitted_clocks = timed(fitted, priors);
  const auto fit_under = [&](const Jitters& jitters) {
    FitProblem problem = problem_of(priors, fitted, options.noise, jitters);
    problem.watch = options.watch;
    problem.predict = [&](std::span<const double> values) {
      return step_times(fitted_clocks, values);
    };
    ProfileFit result{priors, fit_map(problem), {}};
    result.misses = misses_of(fitted, true, fitted_clocks, values_of(result.fit));
    return result;
  };
  // How much a cluster jitters is not known before a fit that takes every one as still.
  ProfileFit result = fit_under(habitat_jitters(fit_under({}).misses));
  const std::vector<double> values = values_of(result.fit);
  std::vector<TimedRun> judging_clocks = timed(judging, priors);
  for (const RunMiss& miss : misses_of(judging, false, judging_clocks, values)) {
    result.misses.push_back(miss);
  }
  return result;
}

}  // namespace stepcast
