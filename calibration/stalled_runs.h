// Runs in which something stood still: far longer than their siblings or a repeat, or by just what
// the held messages of a stalled pipeline take. Not work, and no layout explains it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "scenarios/scenario.h"

namespace stepcast {

struct RunTime {
  const Scenario* scenario = nullptr;
  std::string suite;  ///< runs of different sources are no siblings
  Seconds measured;
  Seconds predicted;
};

/// Which runs stalled, by the time of one slot (measured step / (micro-batches + stages - 1)):
///
///  1. A repeat of the very same scenario took less than 1 / 1.5 of this run.
///  2. A sibling shows what the slot's work takes: same GPU, model width, tensor degree and
///     kernels, with or without a pipeline as here. The slot takes more than 1.5 times that, scaled
///     up by layers per stage and micro-batch, and more than 0.2 s on top: scaling is not exact.
///  3. For pipelines over several nodes: the run took longer than its free step by 0.15 to 0.45 s
///     for each message that a stalled one waits for (models/stalls.h), and more than twice as long
///     as that; 1.15 times where its framework is known to stall on this fabric.
///
/// The predicted time alone marks nothing: a prediction that is wrong by a factor stays wrong.
std::vector<bool> stalled_runs(std::span<const RunTime> runs);

}  // namespace stepcast
