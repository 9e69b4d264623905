// A scenario in the words of another program. What those words cannot say travels with them, in a
// place that the other program passes over, so that `stepcast import` gives the same scenario.
#pragma once

#include <string>
#include <vector>

#include "scenarios/scenario.h"

namespace stepcast {

struct Exported {
  std::string text;
  std::vector<std::string> not_carried;  ///< keys that only `stepcast import` reads: "plan.offload"
};

/// A launch script for Megatron-LM, or for Megatron-DeepSpeed where that is the framework. The
/// model, plan, batch, precision and kernels are arguments; the rest is one comment.
Exported megatron_script(const Scenario& scenario);

/// DeepSpeed's ds_config.json: batch, ZeRO, offload, precision, optimizer. The rest, the model with
/// it, is under "stepcast", a key that DeepSpeed passes over.
Exported deepspeed_config(const Scenario& scenario);

}  // namespace stepcast
