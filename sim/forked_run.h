// Runs a simulation in a child process and brings its timeline back: a SimGrid engine lives as long
// as its process, so every simulation gets one of its own.
#pragma once

#include <functional>

#include "sim/timeline.h"

namespace stepcast {

/// Runs `simulate` in a forked child. Throws std::runtime_error if the child crashes, is killed or
/// cannot be started.
Timeline run_forked(const std::function<Timeline()>& simulate);

}  // namespace stepcast
