#include "scenarios/network_setup.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "models/nccl_tables.h"
#include "scenarios/profile_choice.h"
#include "scenarios/scenario_fields.h"

namespace stepcast {
namespace {

constexpr std::array<std::pair<ProcessLayout, std::string_view>, 2> process_layouts{{
    {ProcessLayout::OnePerGpu, "one_per_gpu"},
    {ProcessLayout::One, "one"},
}};

void describe_setup(Fields& f, Scenario& scenario, std::string& version, ProcessLayout& processes) {
  describe_cluster(f, scenario);
  f.field("nccl_version", version,
          {.doc = "whose constants hold, as in 2.26; by the GPU unless said"});
  f.field("processes", processes, process_layouts,
          {.doc = "how many processes drive the GPUs of a node; one_per_gpu unless said"});
  if (!f.reading() || version.empty()) return;
  if (!knows_nccl_release(version)) {
    f.fault("nccl_version", fmt::format("\"{}\" is no version of NCCL", version), "as in \"2.26\"");
  }
}

}  // namespace

NetworkSetup read_network_setup(const nlohmann::json& json, const InputPlace& place,
                                PartResolver& resolver, const std::string& profile_file) {
  Scenario scenario;
  std::string version;
  NetworkSetup setup;
  read_fields(json, place, resolver,
              [&](Fields& f) { describe_setup(f, scenario, version, setup.processes); });
  if (scenario.cluster.nodes > 1 && !has_fabric(scenario.cluster)) {
    throw InputError(place, fmt::format("{} nodes need a fabric", scenario.cluster.nodes));
  }
  scenario.file = place.file;
  scenario.pointer = place.pointer;
  ProfileChoice profiles(profile_file, resolver);
  setup.network = profiles.choose(scenario, nullptr, place).network;
  if (!version.empty()) setup.network.nccl_version = version;
  setup.cluster = scenario.cluster;
  return setup;
}

}  // namespace stepcast
