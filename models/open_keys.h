// The keys of a plan that were left to the framework, found again in a completed job.
#pragma once

#include "models/training_job.h"

namespace stepcast {

/// Opens what complete() would fill in with the value that stands there: overlaps, the algorithm of
/// context parallelism, ranks that share an expert's matrices. A layout that changes other keys
/// then gets the values that belong to it. What was stated as the framework has it anyway is opened
/// too.
TrainingJob with_open_keys(TrainingJob job, const FrameworkProfile& framework);

}  // namespace stepcast
