// Runs in which something stood still. Published runs of pipelines over several nodes hold some
// that take half a second to a second more per micro-batch slot than their siblings, whatever the
// model: a timeout or a poll, not work, and no layout explains it.
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
///  3. Where all siblings of a pipeline over several nodes stall: the slot takes 0.65 to 1.25 s
///     more than predicted, and more than twice the prediction: the quantum seen in the others.
///
/// The predicted time alone marks nothing: a prediction that is wrong by a factor stays wrong.
std::vector<bool> stalled_runs(std::span<const RunTime> runs);

}  // namespace stepcast
