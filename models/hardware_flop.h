// What a step computes beside the model's own count: work done again, and gradients that frozen
// weights spare.
#pragma once

#include "models/profile.h"
#include "models/training_job.h"

namespace stepcast {

/// Of one sequence: model_flop and the products that recompute does again, whole layers or
/// operations (norms and activations are none); of frozen weights no gradients, each of which costs
/// as much as their product. The HFU's numerator.
Flop hardware_flop(const TrainingJob& job, const FrameworkProfile& framework);

}  // namespace stepcast
