// What limits a step, in one sentence.
#pragma once

#include <string>

#include "sim/step_report.h"

namespace stepcast {

/// Names the largest part of the breakdown and the largest loss beside compute, each with its
/// share.
std::string bottleneck_sentence(const StepReport& report);

}  // namespace stepcast
