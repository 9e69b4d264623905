// Fits the built-in profiles' constants to published runs: one set of constants per GPU, network
// and framework under all runs at once. A command for this project's own use; predictions read its
// result.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "calibration/map_fit.h"
#include "calibration/measured_runs.h"
#include "models/profile_constants.h"

namespace stepcast {

/// A constant that is fitted, and what was known of it before.
struct ProfilePrior {
  std::string profile;   ///< "gpu/a100", "network/efa", "framework/nanotron"
  std::string constant;  ///< its path inside the profile, "gemm/peak_share"
  double value = 0;      ///< in the base unit
  double spread = 0.1;   ///< one standard deviation over the value
  std::string source;    ///< where the prior comes from
};

/// Reads a file of priors: an object that holds, by profile, parts of the profile in its own form,
///
///   { "gpu/a100": { "gemm": { "peak_share": { "value": 0.81, "spread": 0.04,
///                                             "fitted_to": "7,200 GEMMs ..." } } }, ... }
///
/// Every constant in it is fitted. Throws InputError where a profile or a constant is unknown.
std::vector<ProfilePrior> read_priors(const std::string& file);

/// Whether a scenario is predicted by the profile of that name, as "gpu/a100".
bool uses_profile(const Profile& used, std::string_view profile);

/// The constants of a profile that are fitted, by the place of their prior.
using FittedConstants = std::vector<std::pair<std::size_t, ConstantRef>>;
FittedConstants fitted_constants(Profile& profile, const std::vector<ProfilePrior>& priors);

/// Relative error of a run, and whether the fit saw it.
struct RunMiss {
  const MeasuredRun* run = nullptr;
  bool fitted = false;
  double miss = 0;  ///< log(predicted / measured)
};

struct ProfileFit {
  std::vector<ProfilePrior> priors;
  MapFit fit;  ///< parameters in the order of the priors
  std::vector<RunMiss> misses;
};

struct ProfileFitOptions {
  std::uint64_t seed = 1;
  double noise = 0.04;  ///< relative: of a run and of the model, before what the fit finds
  std::size_t most_per_suite = 150;  ///< fitted runs: further ones of a suite add time, not news
  FitWatch watch = [] {};
};

/// Marks the runs that stalled beside their siblings (stalled_runs.h), with their own profiles.
void mark_stalled(std::vector<MeasuredRun>& runs);

/// Fits twice: first as if no network jittered, then giving a run on many nodes the less weight the
/// more its framework was found to suffer from its network (profile_noise.h). Depends on priors and
/// runs only, not on the constants that the runs' profiles hold. `runs` must outlive the result.
ProfileFit fit_profiles(const std::vector<ProfilePrior>& priors,
                        const std::vector<MeasuredRun>& runs, const ProfileFitOptions& options);

/// Writes values, spreads and what they were fitted to into the profile files of a catalogue.
void write_profiles(const ProfileFit& fit, const std::string& catalogue_folder,
                    const ProfileFitOptions& options);

}  // namespace stepcast
