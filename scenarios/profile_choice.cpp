#include "scenarios/profile_choice.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/contract.h"

namespace stepcast {

namespace {

using nlohmann::json;

/// Catalogue names of the parts that a scenario's built-in profile is put together from.
struct BuiltInNames {
  std::string gpu;
  std::string network;
  std::string framework;
};

/// NCCL's constants go with what its network plugin speaks. Without a network any file holds those
/// of groups inside a node.
std::string_view network_profile(const ClusterSpec& cluster) {
  if (cluster.nodes == 1) return "infiniband";
  switch (cluster.fabric.transport) {
    case Transport::InfiniBand:
      return "infiniband";
    case Transport::RoCE:
      return "roce";
    case Transport::Efa:
      return "efa";
    case Transport::OmniPath:
      return "omni_path";
    case Transport::Tcp:
      return "tcp";
  }
  STEPCAST_REQUIRES(false && "every transport has a profile");
  return {};
}

BuiltInNames built_in_names(const Scenario& scenario) {
  return {scenario.cluster.node.gpu.profile, std::string(network_profile(scenario.cluster)),
          std::string(word(scenario.job.framework))};
}

/// Has a missing part reported where the scenario asks for it.
void check_built_in(const BuiltInNames& names, const InputPlace& scenario, PartResolver& resolver) {
  const auto at = [&](std::string_view key) {
    return InputPlace{scenario.file, scenario.pointer + std::string(key)};
  };
  resolver.resolve("profiles/gpu", names.gpu, at("/cluster/node/gpu/profile"));
  resolver.resolve("profiles/network", names.network, at("/cluster/fabric/transport"));
  resolver.resolve("profiles/framework", names.framework, at("/framework"));
}

json built_in_request(const BuiltInNames& names) {
  return {{"gpu", names.gpu}, {"network", names.network}, {"framework", names.framework}};
}

/// `changes` merged over one part, which is a name or an object with a `base`.
json changed_part(json part, const json& changes) {
  if (!changes.is_object() || changes.contains("base")) return changes;
  if (part.is_string()) part = {{"base", part}};
  part.merge_patch(changes);
  return part;
}

void lay_over(json& request, const json& layer) {
  for (const auto& [key, changes] : layer.items()) {
    request[key] = changed_part(request[key], changes);
  }
}

/// A part of a calibrated profile that was fitted on something else than the scenario has.
struct LeftOut {
  std::string key;
  std::string calibrated, here;
};

// On one node there is no network to tell apart: what the file says of groups inside nodes holds.
std::vector<LeftOut> left_out(const CalibrationRecord* record, const Scenario& scenario) {
  if (record == nullptr) return {};
  const BuiltInNames names = built_in_names(scenario);
  std::vector<LeftOut> parts;
  if (record->gpu != names.gpu) parts.push_back({"gpu", record->gpu, names.gpu});
  if (record->network != names.network && scenario.cluster.nodes > 1) {
    parts.push_back({"network", record->network, names.network});
  }
  if (record->framework != names.framework) {
    parts.push_back({"framework", record->framework, names.framework});
  }
  return parts;
}

void check_layer(const json& layer, const InputPlace& place) {
  if (layer.is_object()) return;
  throw InputError(place, "a calibration is an object with the keys gpu, network and framework");
}

}  // namespace

void describe(Fields& f, Profile& profile) {
  f.part("gpu", "profiles/gpu", profile.gpu.name, [&](Fields& g) { describe(g, profile.gpu); },
         {.doc = "what kernels reach on the GPU"});
  f.part("network", "profiles/network", profile.network.name,
         [&](Fields& g) { describe(g, profile.network); }, {.doc = "NCCL on the kind of network"});
  f.part("framework", "profiles/framework", profile.framework.name,
         [&](Fields& g) { describe(g, profile.framework); }, {.doc = "what the framework adds"});
}

bool has_built_in_profile(const Scenario& scenario) {
  const BuiltInNames names = built_in_names(scenario);
  return scenario.profile.gpu.name == names.gpu && scenario.profile.network.name == names.network &&
         scenario.profile.framework.name == names.framework;
}

ProfileChoice::ProfileChoice(const std::string& profile_file, PartResolver& resolver)
    : resolver_(resolver) {
  if (profile_file.empty()) return;
  json file = read_json_file(profile_file);
  const InputPlace root{profile_file, ""};
  if (file.is_object() && file.contains("calibration")) {
    CalibrationRecord record;
    read_fields(file["calibration"], child_of(root, "calibration"), resolver,
                [&](Fields& f) { describe(f, record); });
    record_ = std::make_shared<const CalibrationRecord>(std::move(record));
    for (const char* key : {"calibration", "scenario", "schema"}) file.erase(key);
  }
  file_layer_ = layer_of(file, root);
}

ProfileChoice::Layer ProfileChoice::layer_of(const json& written, const InputPlace& place) {
  if (written.is_string()) {
    const PartResolver::Part part =
        resolver_.resolve("profiles", written.get<std::string>(), place);
    const InputPlace root{part.file, ""};
    check_layer(*part.json, root);
    return {part.json, root};
  }
  check_layer(written, place);
  if (!written.contains("base")) return {std::make_shared<const json>(written), place};
  json changes = written;
  changes.erase("base");
  json merged = *layer_of(written["base"], child_of(place, "base")).json;
  lay_over(merged, changes);
  return {std::make_shared<const json>(std::move(merged)), place};
}

Profile ProfileChoice::read(const json& request, const InputPlace& place) {
  Profile profile;
  read_fields(request, place, resolver_, [&](Fields& f) { describe(f, profile); });
  return profile;
}

Profile ProfileChoice::choose(const Scenario& scenario, const json* calibration,
                              const InputPlace& place) {
  const BuiltInNames names = built_in_names(scenario);
  check_built_in(names, place, resolver_);
  json request = built_in_request(names);
  InputPlace source = place;
  if (calibration != nullptr) {
    const Layer layer = layer_of(*calibration, child_of(place, "calibration"));
    lay_over(request, *layer.json);
    source = layer.place;
  }
  if (!file_layer_.json) return read(request, source);
  if (calibration != nullptr) read(request, source);  // so that its faults are not the file's
  lay_over(request, file_parts_for(scenario));
  return read(request, file_layer_.place);
}

json ProfileChoice::file_parts_for(const Scenario& scenario) const {
  json parts = *file_layer_.json;
  for (const LeftOut& part : left_out(record_.get(), scenario)) parts.erase(part.key);
  return parts;
}

std::vector<std::string> ProfileChoice::parts_left_out(const Scenario& scenario) const {
  std::vector<std::string> sentences;
  for (const LeftOut& part : left_out(record_.get(), scenario)) {
    sentences.push_back("the profile was calibrated on " + part.key + " " + part.calibrated +
                        ": constants of " + part.here + " are the built-in ones");
  }
  return sentences;
}

}  // namespace stepcast
