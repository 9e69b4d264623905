#include "scenarios/import/node_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/fields.h"
#include "base/unit_text.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

// PCI device numbers of NVIDIA's. Source: the PCI ID Repository, vendor 10de.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> gpus_by_device{{
    {"0x1db1", "v100_sxm2_16gb"},
    {"0x1db5", "v100_sxm2_32gb"},
    {"0x20b0", "a100_sxm_40gb"},
    {"0x20b2", "a100_sxm_80gb"},
    {"0x20b5", "a100_pcie_80gb"},
    {"0x2330", "h100_sxm_80gb"},
    {"0x2335", "h200_sxm"},
}};

std::string gpu_of_device(const std::string& device) {
  for (const auto& [number, gpu] : gpus_by_device) {
    if (device == number) return std::string(gpu);
  }
  return {};
}

std::string first_node_with(const std::string& gpu, Catalogue& catalogue) {
  for (const std::string& name : catalogue.names("nodes")) {
    const auto part = catalogue.resolve("nodes", name, {});
    const auto found = part.json->find("gpu");
    if (found != part.json->end() && *found == gpu) return name;
  }
  return {};
}

// The catalogue's word for a value of an enumeration: written, and taken out of the writing.
std::string word_of(const NodeSpec& node, const char* key) {
  NodeSpec copy = node;
  const nlohmann::json written = write_fields([&](Fields& f) { describe(f, copy); }, false);
  return written.at(key).get<std::string>();
}

class NodeWriter {
 public:
  NodeWriter(const NodeSketch& sketch, NodeFile& file, Catalogue& catalogue)
      : sketch_(sketch), file_(file), catalogue_(catalogue) {
    if (!file.like.empty()) like_ = catalogue.resolve("nodes", file.like, {"--like", ""}).json;
  }

  Json write() {
    say("gpu", file_.gpu.empty() ? Json() : Json(file_.gpu));
    json_["gpus"] = sketch_.gpus;
    write_interconnect();
    say("pcie_bandwidth", text(sketch_.pcie_bandwidth));
    write_switches();
    say("sockets", number(sketch_.sockets));
    const bool alone = json_.contains("sockets") && json_["sockets"] == 1;
    if (!alone) say("socket_bandwidth", text(sketch_.socket_bandwidth));
    NodeSpec node;
    node.cpu_vendor = sketch_.cpu_vendor.value_or(CpuVendor::Other);
    say("cpu_vendor", sketch_.cpu_vendor ? Json(word_of(node, "cpu_vendor")) : Json());
    for (const char* key : {"host_memory", "host_memory_bandwidth"}) say(key, {});
    if (like_ && like_->contains("power_besides_gpus")) say("power_besides_gpus", {});
    return json_;
  }

 private:
  static Json text(const std::optional<BytesPerSecond>& rate) {
    return rate ? Json(to_text(*rate)) : Json();
  }
  static Json number(const std::optional<int>& count) { return count ? Json(*count) : Json(); }

  // A value that the file says; null: the like node's, else it is to be filled in.
  void say(const char* key, Json value) {
    if (value.is_null() && like_ && like_->contains(key)) {
      value = like_->at(key);
      file_.from_like.emplace_back(key);
    }
    if (value.is_null()) {
      file_.to_fill_in.emplace_back(key);
    } else {
      json_[key] = std::move(value);
    }
  }

  std::optional<GpuArchitecture> architecture() {
    if (file_.gpu.empty()) return sketch_.architecture;
    GpuSpec gpu;
    const auto part = catalogue_.resolve("gpus", file_.gpu, {"--gpu", ""});
    read_fields(*part.json, {part.file, ""}, catalogue_, [&](Fields& f) { describe(f, gpu); });
    return gpu.architecture;
  }

  void write_interconnect() {
    NodeSpec node;
    node.interconnect = sketch_.interconnect.value_or(GpuInterconnect::Pcie);
    say("interconnect", sketch_.interconnect ? Json(word_of(node, "interconnect")) : Json());
    if (!json_.contains("interconnect") || json_["interconnect"] == "pcie") return;
    const std::optional<GpuArchitecture> generation = architecture();
    const bool counted = generation && sketch_.nvlinks > 0;
    say("nvlink_bandwidth",
        counted ? Json(to_text(sketch_.nvlinks * nvlink_rate(*generation))) : Json());
  }

  void write_switches() {
    say("gpus_per_pcie_switch", number(sketch_.gpus_per_pcie_switch));
    const bool none = json_.contains("gpus_per_pcie_switch") && json_["gpus_per_pcie_switch"] == 1;
    if (!none) say("pcie_switch_bandwidth", text(sketch_.pcie_switch_bandwidth));
  }

  const NodeSketch& sketch_;
  NodeFile& file_;
  Catalogue& catalogue_;
  std::shared_ptr<const nlohmann::json> like_;
  Json json_ = Json::object();
};

std::vector<std::string> caveats_of(const NodeSketch& sketch, const NodeFile& file) {
  std::vector<std::string> caveats = sketch.caveats;
  if (!file.from_like.empty()) {
    caveats.push_back(fmt::format("Taken from {}: {}", file.like, fmt::join(file.from_like, ", ")));
  }
  if (!file.to_fill_in.empty()) {
    caveats.push_back(fmt::format("To be filled in: {}", fmt::join(file.to_fill_in, ", ")));
  }
  return caveats;
}

}  // namespace

NodeFile node_file(const NodeSketch& sketch, const std::string& gpu, const std::string& like,
                   const std::string& source, Catalogue& catalogue) {
  NodeFile file;
  file.gpu = gpu.empty() ? gpu_of_device(sketch.gpu_device) : gpu;
  file.like = like.empty() && !file.gpu.empty() ? first_node_with(file.gpu, catalogue) : like;
  Json json = NodeWriter(sketch, file, catalogue).write();
  json["source"] = source;
  if (const std::vector<std::string> caveats = caveats_of(sketch, file); !caveats.empty()) {
    json["caveats"] = caveats;
  }
  if (file.to_fill_in.empty()) {
    NodeSpec node;
    read_fields(nlohmann::json(json), {source, ""}, catalogue,
                [&](Fields& f) { describe(f, node); });
  }
  file.json = std::make_shared<const Json>(std::move(json));
  return file;
}

}  // namespace stepcast
