#include "scenarios/network_setup.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/text_lines.h"
#include "models/nccl_tables.h"
#include "scenarios/profile_choice.h"
#include "scenarios/scenario_fields.h"

namespace stepcast {
namespace {

constexpr std::array<std::pair<ProcessLayout, std::string_view>, 2> process_layouts{{
    {ProcessLayout::OnePerGpu, "one_per_gpu"},
    {ProcessLayout::One, "one"},
}};

// The release nearest to "2.MINOR"; empty where the text is none.
std::optional<std::string> nearest_release(std::string_view version) {
  if (!version.starts_with("2.")) return std::nullopt;
  const std::optional<std::int64_t> minor = whole_number(version.substr(2));
  if (!minor || *minor < 0) return std::nullopt;
  for (std::int64_t off = 0; off <= *minor + 100; ++off) {
    for (const std::int64_t candidate : {*minor - off, *minor + off}) {
      const std::string name = fmt::format("2.{}", candidate);
      if (knows_nccl_release(name)) return name;
    }
  }
  return std::nullopt;
}

void describe_setup(Fields& f, Scenario& scenario, std::string& version, ProcessLayout& processes) {
  describe_cluster(f, scenario);
  f.field("nccl_version", version,
          {.doc = "whose constants hold, as in 2.26; by the GPU unless said"});
  f.field("processes", processes, process_layouts,
          {.doc = "how many processes drive the GPUs of a node; one_per_gpu unless said"});
  if (!f.reading() || version.empty()) return;
  const std::optional<std::string> release = nearest_release(version);
  if (!release)
    f.fault("nccl_version", fmt::format("\"{}\" is no version of NCCL", version), "as in \"2.26\"");
  version = *release;
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
