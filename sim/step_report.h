// The answer as values: what a step costs in time, memory and money, and where it goes.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "models/price.h"
#include "models/stalls.h"
#include "models/step_program.h"
#include "scenarios/scenario.h"
#include "sim/link_loads.h"

namespace stepcast {

struct EngineReport {
  std::string name;        ///< "event" or "analytic": the one that gave the times
  bool certified = false;  ///< analytic times proven equal to the event engine's
  int gpus = 0;
  int rank_classes = 0;  ///< how many ranks were simulated
  std::int64_t activities = 0;
  Seconds wall_time;
};

/// Memory of one pipeline stage's GPUs at their peak.
struct StageMemory {
  int stage = 0;
  Bytes allocated;                             ///< what the framework's tensors take
  Bytes reserved;                              ///< with the caching allocator's fragmentation
  Bytes device;                                ///< with CUDA context and NCCL, as nvidia-smi shows
  std::array<Bytes, kNumMemoryParts> parts{};  ///< of the device figure, at the peak
  Seconds peak_at;                             ///< when in the step
  Bytes host;                                  ///< of one rank in its node's memory, under offload
  int peak_instruction = -1;                   ///< of the compute stream; -1: before its first
  Work peak_work = Work::Setup;
  int peak_micro_batch = -1;
  int peak_chunk = 0;
  Bytes uncertain;                  ///< tensors at the peak that may be kept or not
  double uncertain_likelihood = 0;  ///< that they are kept: they count in all of the above from 1/2

  bool counts_uncertain() const { return uncertain_likelihood >= 0.5; }
  Bytes device_with_uncertain() const { return counts_uncertain() ? device : device + uncertain; }
  Bytes device_without_uncertain() const {
    return counts_uncertain() ? device - uncertain : device;
  }
};

struct MemoryPoint {
  Seconds at;
  Bytes allocated;
};

struct MemoryReport {
  Bytes capacity;
  int peak_stage = 0;
  int peak_rank = 0;  ///< the lowest rank of that stage
  std::vector<StageMemory> stages;
  Bytes low, high;                    ///< of peak().device, 5 % and 95 %
  std::vector<MemoryPoint> timeline;  ///< of the fullest stage
  Bytes host_capacity;                ///< of one node
  Bytes host_peak;  ///< of one node whose ranks are all of the stage with most; 0: no offload
  const StageMemory& peak() const { return stages[static_cast<std::size_t>(peak_stage)]; }
};

/// One published figure beside the prediction, or a range of them. ratio = predicted / claimed.
struct ClaimCheck {
  std::string claim;   ///< key of the figure ("tokens_per_s")
  double claimed = 0;  ///< base units; of a range where it begins
  double predicted = 0;
  std::optional<double> claimed_to = {};  ///< of a range where it ends; infinite: at least claimed
  double ratio() const { return predicted / claimed; }
};

struct CostReport {
  double usd_per_hour = 0;
  double usd_per_million_tokens = 0;
  std::optional<double> training_hours;  ///< where the scenario says how many tokens
  std::optional<double> training_usd;
  std::optional<double>
      energy_kwh;  ///< of the training; of one step where tokens are not given: absent
};

struct StepReport {
  std::string title;
  int gpus = 0;
  Seconds step_time;
  Seconds step_time_low, step_time_high;  ///< 5 % and 95 %
  StallRisk stall;                        ///< of pipelines that may stand still; else chance 0
  double tokens_per_s = 0;
  double tokens_per_s_per_gpu = 0;
  FlopPerSecond model_flop_rate_per_gpu;
  double mfu = 0;  ///< of the peak rate of the scenario's precision
  double hfu = 0;
  std::array<Seconds, kNumActivities> breakdown{};  ///< along the critical rank; sums to step_time
  int critical_stage = 0;
  double bubble_fraction = 0;  ///< pipeline_bubble / step_time
  Bytes memory_peak() const { return memory.peak().device; }
  MemoryReport memory;
  bool fits = true;
  double oom_probability = 0;
  std::optional<CostReport> cost;
  EngineReport engine;
  std::vector<ClaimCheck> claims;
  std::vector<std::string> warnings;
  std::string bottleneck;       ///< one sentence: what limits this step
  std::vector<LinkLoad> links;  ///< where asked for: most utilised first
};

}  // namespace stepcast
