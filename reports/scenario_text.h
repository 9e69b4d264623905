// A scenario in a few lines: what was predicted, before any figure of it.
#pragma once

#include <string>
#include <vector>

#include "scenarios/scenario.h"

namespace stepcast {

/// Model and cluster; the plan; the batch and how it is computed:
///
///   llama_65b (65.3 B parameters) on 8 nodes of dgx_a100_80gb, hdr_rail: 64 GPUs
///   tensor 4 x pipeline 2 x data 8, 1f1b, sequence parallel, ZeRO-1, recompute selective
///   512 sequences of 2,048 tokens in micro-batches of 2, bf16, flash2, megatron
///
/// Degrees of 1 and switches that are off are left out. Requires a completed scenario.
std::vector<std::string> scenario_lines(const Scenario& scenario);

}  // namespace stepcast
