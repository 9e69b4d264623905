// Fits a GPU profile's kernel constants to tables of measured kernels. A command for this project's
// own use; predictions read its result.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calibration/measured_kernels.h"
#include "calibration/profile_fit.h"

namespace stepcast {

/// Relative error of a kernel, and whether the fit saw it.
struct KernelMiss {
  std::string family;
  bool fitted = false;
  double miss = 0;  ///< log(predicted / measured)
};

struct KernelFit {
  std::vector<ProfilePrior> priors;
  MapFit fit;  ///< parameters in the order of the priors
  std::vector<KernelMiss> misses;
};

/// Products with a side under 256 train nothing: they are left out.
std::vector<MeasuredKernel> training_kernels(std::vector<MeasuredKernel> kernels);

/// A random half of the kernels fits the constants that `priors` name, all of one GPU profile, the
/// others judge. Products of at least 2048 x 1024 x 1024 weigh three times as much as others.
/// Requires priors, and at least two kernels.
KernelFit fit_kernels(const std::vector<ProfilePrior>& priors,
                      const std::vector<MeasuredKernel>& kernels, const Device& device,
                      std::uint64_t seed);

/// Writes values, spreads and the judging half's errors into the profile's file. A spread is no
/// less than 5 %, by which publishers' tables of one GPU differ, however many kernels one holds.
void write_kernel_constants(const KernelFit& fit, const std::string& catalogue_folder,
                            std::uint64_t seed);

}  // namespace stepcast
