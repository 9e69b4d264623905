// The way out of a step that does not fit: the smallest changes of its scenario that do.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sim/predict_all.h"

namespace stepcast {

struct Advice {
  std::vector<std::string> changes;  ///< as --set takes them: "plan/recompute=full"
  StepReport report;                 ///< of the changed scenario
};

struct AdviceReport {
  bool fits_already = false;
  int tried = 0;             ///< changed scenarios that were predicted
  std::vector<Advice> ways;  ///< those that fit, cheapest per token first
};

/// Changes are of single keys: a smaller micro-batch, more recompute, a higher ZeRO stage, a larger
/// tensor-parallel or pipeline-parallel degree (data parallelism gives way), sequence parallelism,
/// offload, expandable segments. Of every key the smallest change that fits alone is a way. Where
/// no key is enough, of every two keys the pair of changes with the fewest steps together, and
/// where that is not enough the largest changes of every three. Changes that make no valid scenario
/// are left out. All ways use the same GPUs, so the cheapest per token is the fastest.
using PredictMany = std::function<std::vector<PredictionOutcome>(std::span<const Scenario>)>;
AdviceReport advise(const Scenario& scenario, const StepReport& as_it_is,
                    const PredictMany& predict_many);

}  // namespace stepcast
