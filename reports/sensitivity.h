// What a little more of each resource brings a step: elasticities, the largest first.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "reports/prediction.h"

namespace stepcast {

enum class Resource { FlopRate, MemoryBandwidth, NvLink, NicBandwidth, Latency, MemoryCapacity };
inline constexpr int kNumResources = 6;
/// As a key of a result: "flop_rate".
std::string_view word(Resource resource);

/// The scenario with `factor` times as much of a resource. Latency is that of NCCL's algorithms
/// inside nodes and between them; NVLink's bandwidth is what NCCL's groups inside a node reach of
/// it, a NIC's both its line and what groups across nodes reach.
Scenario scaled(const Scenario& scenario, Resource resource, double factor);

struct Sensitivity {
  Resource resource = Resource::FlopRate;
  double elasticity = 0;       ///< percent that step time grows by, for each percent more
  Seconds step_change;         ///< for 1 % more
  double oom_probability = 0;  ///< with 1 % more
};

inline constexpr double sensitivity_factor = 1.01;

/// `after[i]` is the report with 1 % more of resource i. The largest elasticity comes first,
/// whatever its sign. Requires a report for each resource.
std::vector<Sensitivity> sensitivities(const StepReport& before,
                                       const std::vector<StepReport>& after);

std::string sensitivity_text(const Prediction& before, const std::vector<Sensitivity>& all);
nlohmann::ordered_json sensitivity_json(const Prediction& before,
                                        const std::vector<Sensitivity>& all);

}  // namespace stepcast
