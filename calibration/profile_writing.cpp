#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibration/profile_files.h"
#include "calibration/profile_fit.h"
#include "calibration/profile_noise.h"

namespace stepcast {
namespace {

// What the runs say beside the prior: nothing where they leave its spread as it was.
std::string evidence(const ProfilePrior& prior, const FittedParameter& fitted, std::size_t runs) {
  constexpr double kUnmoved = 0.95;
  if (fitted.prior_kept > kUnmoved) {
    return fmt::format("{}; published runs leave it there", prior.source);
  }
  return fmt::format("{} published runs, half of all; prior {:.3g} within {:.0f} %: {}", runs,
                     prior.value, 100 * prior.spread, prior.source);
}

struct Judged {
  std::size_t fitted = 0;
  std::vector<double> errors;  ///< of the runs that judge, as shares, without sign
};

Judged judged(const ProfileFit& fit, const std::string& profile) {
  Judged judged;
  for (const RunMiss& miss : fit.misses) {
    if (miss.run->stalled || !uses_profile(miss.run->scenario.profile, profile)) continue;
    if (miss.fitted) {
      ++judged.fitted;
    } else {
      judged.errors.push_back(std::abs(std::exp(miss.miss) - 1));
    }
  }
  return judged;
}

std::string verdict(Judged judged, std::uint64_t seed) {
  if (judged.errors.empty()) return fmt::format("Fitted to {} runs, none judge.", judged.fitted);
  std::sort(judged.errors.begin(), judged.errors.end());
  double sum = 0;
  for (const double error : judged.errors) sum += error;
  return fmt::format(
      "Fitted to {} published runs (seed {}); {} others judge: mean error {:.1f} %, median {:.1f} "
      "%.",
      judged.fitted, seed, judged.errors.size(),
      100 * sum / static_cast<double>(judged.errors.size()),
      100 * judged.errors[judged.errors.size() / 2]);
}

void put_noise(const ProfileNoise& noise, ProfileFiles& files) {
  const auto put = [&](const std::string& profile, const std::string& key,
                       const ProfileNoise::Spread& found) {
    files.set(profile, key, {.value = found.value, .spread = 0},
              fmt::format("90 % of {} fitted runs lie inside 90 % intervals", found.runs));
  };
  for (const auto& [name, found] : noise.framework) {
    put("framework/" + name, "step_time_spread", found);
  }
  for (const auto& [name, found] : noise.network) put("network/" + name, "step_time_jitter", found);
}

}  // namespace

void write_profiles(const ProfileFit& fit, const std::string& catalogue_folder,
                    const ProfileFitOptions& options) {
  ProfileFiles files(catalogue_folder);
  for (std::size_t i = 0; i < fit.priors.size(); ++i) {
    const ProfilePrior& prior = fit.priors[i];
    const FittedParameter& fitted = fit.fit.parameters[i];
    const Judged runs = judged(fit, prior.profile);
    files.set_comment(prior.profile, verdict(runs, options.seed));
    files.set(prior.profile, prior.constant, fitted, evidence(prior, fitted, runs.fitted));
  }
  put_noise(noise_of(fit.misses), files);
  files.write();
}

}  // namespace stepcast
