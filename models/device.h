// The GPU that kernels run on.
#pragma once

#include "models/profile.h"
#include "models/training_job.h"
#include "topology/cluster_spec.h"

namespace stepcast {

/// Its data sheet and what its kernels reach of it.
struct Device {
  GpuSpec gpu;
  GpuProfile profile;
};

/// The data sheet's dense rate of a precision.
FlopPerSecond peak_rate(Precision precision, const GpuSpec& gpu);

}  // namespace stepcast
