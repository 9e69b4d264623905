// Fits the memory constants of the frameworks' profiles to measured peaks.
#pragma once

#include <vector>

#include "calibration/profile_fit.h"

namespace stepcast {

/// As fit_profiles, with the peak of the kind that was measured in place of the step time. Runs
/// without a measured peak take no part.
///
/// Where a profile says that gathered inputs are kept in some runs and not in others (HeldInputs),
/// a fitted run counts as the case that is nearer to its measurement, and the likelihood's
/// constants are fitted to those cases by logistic regression, two rounds of both. Judging runs are
/// predicted by the likelihood alone.
ProfileFit fit_memory(const std::vector<ProfilePrior>& priors, const std::vector<MeasuredRun>& runs,
                      const ProfileFitOptions& options);

}  // namespace stepcast
