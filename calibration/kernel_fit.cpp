#include "calibration/kernel_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/contract.h"
#include "base/statistics.h"
#include "calibration/profile_files.h"

namespace stepcast {
namespace {

constexpr double kNoise = 0.05;  // two measurements of one kernel: 3 to 5 %
constexpr double kBetweenTables = 0.05;
constexpr std::int64_t kLeastSide = 256;

bool is_large(const MeasuredKernel& kernel) {
  const auto* gemm = std::get_if<MeasuredGemm>(&kernel.kernel);
  return !gemm || (gemm->shape.m >= 2048 && gemm->shape.n >= 1024 && gemm->shape.k >= 1024);
}

double noise_of(const MeasuredKernel& kernel) {
  return is_large(kernel) ? kNoise : kNoise * std::sqrt(3.0);
}

// The profile with the priors' constants at these values. A loop of one kernel holds its clock.
class FittedDevice {
 public:
  FittedDevice(const Device& device, const std::vector<ProfilePrior>& priors) : device_(device) {
    device_.profile.sustained_clock.value = 1;
    for (const ConstantRef& constant : constants_of(device_.profile)) {
      for (std::size_t i = 0; i < priors.size(); ++i) {
        if (constant.path() == priors[i].constant) constants_.emplace_back(i, constant);
      }
    }
    STEPCAST_REQUIRES(constants_.size() == priors.size());
  }
  FittedDevice(const FittedDevice&) = delete;
  FittedDevice& operator=(const FittedDevice&) = delete;

  const Device& at(std::span<const double> values) {
    for (const auto& [index, constant] : constants_) constant.set_value(values[index]);
    return device_;
  }

 private:
  Device device_;
  std::vector<std::pair<std::size_t, ConstantRef>> constants_;  // point into it
};

struct Halves {
  std::vector<MeasuredKernel> fitted;
  std::vector<MeasuredKernel> judging;
};

Halves halves(const std::vector<MeasuredKernel>& kernels, std::uint64_t seed) {
  Halves halves;
  std::mt19937_64 random(seed);
  for (const MeasuredKernel& kernel : kernels) {
    (random() % 2 == 0 ? halves.fitted : halves.judging).push_back(kernel);
  }
  return halves;
}

FitProblem problem_of(const std::vector<ProfilePrior>& priors,
                      const std::vector<MeasuredKernel>& kernels, FittedDevice& device) {
  FitProblem problem;
  for (const ProfilePrior& prior : priors) {
    problem.parameters.push_back(
        {prior.constant, prior.value, prior.spread, FitScale::Logarithmic});
  }
  for (const MeasuredKernel& kernel : kernels) {
    problem.measurements.push_back({kernel_name(kernel), kernel.time.value(), noise_of(kernel)});
  }
  problem.robust_beyond = 1;  // which kernel a library picks makes tails
  problem.predict = [&kernels, &device](std::span<const double> values) {
    const Device& fitted = device.at(values);
    std::vector<double> times;
    times.reserve(kernels.size());
    for (const MeasuredKernel& kernel : kernels) {
      times.push_back(kernel_time(kernel, fitted).value());
    }
    return times;
  };
  return problem;
}

void add_misses(const std::vector<MeasuredKernel>& kernels, bool fitted, const Device& device,
                std::vector<KernelMiss>& misses) {
  for (const MeasuredKernel& kernel : kernels) {
    misses.push_back(
        {kernel_family(kernel), fitted, std::log(kernel_time(kernel, device) / kernel.time)});
  }
}

std::string evidence(const KernelFit& fit, const ProfilePrior& prior, std::uint64_t seed) {
  std::size_t fitted = 0;
  std::vector<double> errors;  // of the judging half
  for (const KernelMiss& miss : fit.misses) {
    if (miss.fitted) {
      ++fitted;
    } else {
      errors.push_back(std::abs(std::exp(miss.miss) - 1));
    }
  }
  return fmt::format(
      "{} kernels, a random half (seed {}); the others: median error {:.1f} %, 90 % "
      "within {:.1f} %; {}",
      fitted, seed, 100 * *quantile(errors, 0.5), 100 * *quantile(errors, 0.9), prior.source);
}

}  // namespace

std::vector<MeasuredKernel> training_kernels(std::vector<MeasuredKernel> kernels) {
  std::erase_if(kernels, [](const MeasuredKernel& kernel) {
    const auto* gemm = std::get_if<MeasuredGemm>(&kernel.kernel);
    return gemm && std::min({gemm->shape.m, gemm->shape.n, gemm->shape.k}) < kLeastSide;
  });
  return kernels;
}

KernelFit fit_kernels(const std::vector<ProfilePrior>& priors,
                      const std::vector<MeasuredKernel>& kernels, const Device& device,
                      std::uint64_t seed) {
  STEPCAST_REQUIRES(!priors.empty() && kernels.size() >= 2);
  const auto [fitted, judging] = halves(kernels, seed);
  FittedDevice changed(device, priors);
  KernelFit result{priors, fit_map(problem_of(priors, fitted, changed)), {}};
  std::vector<double> values;
  for (const FittedParameter& parameter : result.fit.parameters) values.push_back(parameter.value);
  add_misses(fitted, true, changed.at(values), result.misses);
  add_misses(judging, false, changed.at(values), result.misses);
  return result;
}

void write_kernel_constants(const KernelFit& fit, const std::string& catalogue_folder,
                            std::uint64_t seed) {
  ProfileFiles files(catalogue_folder);
  for (std::size_t i = 0; i < fit.priors.size(); ++i) {
    const ProfilePrior& prior = fit.priors[i];
    FittedParameter constant = fit.fit.parameters[i];
    constant.spread = std::hypot(constant.spread, kBetweenTables);
    files.set(prior.profile, prior.constant, constant, evidence(fit, prior, seed));
  }
  files.write();
}

}  // namespace stepcast
