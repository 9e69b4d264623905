#include "reports/sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/contract.h"
#include "base/unit_text.h"
#include "reports/json.h"
#include "reports/numbers.h"
#include "reports/table.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

struct ResourceNames {
  std::string_view key;
  const char* label;
};

constexpr std::array<ResourceNames, kNumResources> names{{{"flop_rate", "FLOP rate"},
                                                          {"memory_bandwidth", "memory bandwidth"},
                                                          {"nvlink", "NVLink bandwidth"},
                                                          {"nic_bandwidth", "NIC bandwidth"},
                                                          {"latency", "latency"},
                                                          {"memory_capacity", "memory capacity"}}};

const ResourceNames& names_of(Resource resource) {
  return names[static_cast<std::size_t>(resource)];
}

}  // namespace

std::string_view word(Resource resource) { return names_of(resource).key; }

Scenario scaled(const Scenario& scenario, Resource resource, double factor) {
  Scenario more = scenario;
  GpuSpec& gpu = more.cluster.node.gpu;
  more.node_name.clear();
  more.fabric_name.clear();
  switch (resource) {
    case Resource::FlopRate:
      for (FlopPerSecond* rate : {&gpu.fp32, &gpu.tf32, &gpu.fp16, &gpu.fp8}) {
        *rate = factor * *rate;
      }
      break;
    case Resource::MemoryBandwidth:
      gpu.memory_bandwidth = factor * gpu.memory_bandwidth;
      break;
    case Resource::NvLink:
      // NCCL takes NVLink's rate in rungs: 1 % more of the rate itself would mostly bring nothing.
      if (more.cluster.node.nvlink_bandwidth > BytesPerSecond(0)) {
        more.profile.network.intra_bandwidth_factor.value *= factor;
      }
      break;
    case Resource::NicBandwidth:
      // The NIC carries more, and so do the rungs that NCCL's channels take of it.
      more.cluster.fabric.nic_bandwidth = factor * more.cluster.fabric.nic_bandwidth;
      more.profile.network.bandwidth_factor.value *= factor;
      break;
    case Resource::Latency:
      more.profile.network.latency_factor.value *= factor;
      more.profile.network.intra_latency_factor.value *= factor;
      break;
    case Resource::MemoryCapacity:
      gpu.memory = factor * gpu.memory;
      break;
  }
  return more;
}

std::vector<Sensitivity> sensitivities(const StepReport& before,
                                       const std::vector<StepReport>& after) {
  STEPCAST_REQUIRES(after.size() == kNumResources);
  std::vector<Sensitivity> all;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const double growth = std::log(after[i].step_time / before.step_time);
    all.push_back({static_cast<Resource>(i), growth / std::log(sensitivity_factor),
                   after[i].step_time - before.step_time, after[i].oom_probability});
  }
  std::stable_sort(all.begin(), all.end(), [](const Sensitivity& a, const Sensitivity& b) {
    return std::abs(a.elasticity) > std::abs(b.elasticity);
  });
  return all;
}

std::string sensitivity_text(const Prediction& before, const std::vector<Sensitivity>& all) {
  Table table = Table::of_numbers(3);
  table.add_row({"1 % more", "elasticity", "step time", "risk of running out"});
  for (const Sensitivity& one : all) {
    table.add_row({names_of(one.resource).label, fmt::format("{:.3f}", one.elasticity + 0.0),
                   signed_text(one.step_change), share_text(one.oom_probability)});
  }
  return fmt::format("{}\n  step time {}, risk of running out of memory {}\n\n{}",
                     before.report.title, to_text(before.report.step_time),
                     share_text(before.report.oom_probability), table.text());
}

Json sensitivity_json(const Prediction& before, const std::vector<Sensitivity>& all) {
  Json json = {{"schema", 1}, {"scenario", result_json(before.report)}};
  for (const Sensitivity& one : all) {
    json["sensitivities"].push_back({{"resource", word(one.resource)},
                                     {"elasticity", one.elasticity},
                                     {"step_time_change_s", one.step_change.value()},
                                     {"oom_probability", one.oom_probability}});
  }
  return json;
}

}  // namespace stepcast
