// The catalogue's GPUs, nodes and fabrics, and how they are read.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/fields.h"
#include "topology/cluster_spec.h"
#include "topology/group_layout.h"

using namespace stepcast;
using Catch::Matchers::WithinRel;

namespace {

const std::filesystem::path catalogue_folder = std::filesystem::path("scenarios") / "catalogue";

class CatalogueFolder : public PartResolver {
 public:
  Part resolve(std::string_view kind, const std::string& name, const InputPlace&) override {
    const std::string file = (catalogue_folder / kind / (name + ".json")).string();
    return {file, std::make_shared<const nlohmann::json>(read_json_file(file))};
  }
};

template <class Spec>
Spec read(const nlohmann::json& json) {
  CatalogueFolder catalogue;
  Spec spec;
  read_fields(json, {"test.json", ""}, catalogue, [&spec](Fields& f) { describe(f, spec); });
  return spec;
}

template <class Spec>
Spec from_catalogue(std::string_view kind, const std::string& name) {
  return read<Spec>(read_json_file((catalogue_folder / kind / (name + ".json")).string()));
}

std::vector<std::string> entries(std::string_view kind) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(catalogue_folder / kind)) {
    names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

NodeSpec node(const std::string& name) { return from_catalogue<NodeSpec>("nodes", name); }
FabricSpec fabric(const std::string& name) { return from_catalogue<FabricSpec>("fabrics", name); }

GroupLayout world(const std::string& node_name, int nodes, const std::string& fabric_name) {
  const Cluster cluster({.node = node(node_name),
                         .nodes = nodes,
                         .gpus_per_node = 0,
                         .fabric = fabric(fabric_name),
                         .faults = {},
                         .background = {}});
  std::vector<GpuId> gpus(static_cast<std::size_t>(cluster.num_gpus()));
  std::iota(gpus.begin(), gpus.end(), 0);
  return layout_group(cluster, gpus);
}

nlohmann::json node_json() {
  return read_json_file((catalogue_folder / "nodes/dgx_h100_80gb.json").string());
}

}  // namespace

TEST_CASE("every GPU, node and fabric of the catalogue reads and names its source", "[topology]") {
  for (const std::string& name : entries("gpus")) {
    INFO(name);
    const GpuSpec gpu = from_catalogue<GpuSpec>("gpus", name);
    CHECK(gpu.fp16 >= gpu.tf32);
    CHECK(gpu.tf32 >= gpu.fp32);
    CHECK(gpu.fp8 >= gpu.fp16);
  }
  for (const std::string& name : entries("nodes")) {
    INFO(name);
    const NodeSpec spec = node(name);
    const std::vector<std::string> gpus = entries("gpus");
    CHECK(std::find(gpus.begin(), gpus.end(), spec.gpu.name) != gpus.end());
    CHECK(Cluster({.node = spec,
                   .nodes = 1,
                   .gpus_per_node = 0,
                   .fabric = {},
                   .faults = {},
                   .background = {}})
              .num_gpus() == spec.gpus);
  }
  for (const std::string& name : entries("fabrics")) {
    INFO(name);
    CHECK(fabric(name).nic_bandwidth > 0_GB_per_s);
  }
  for (const char* kind : {"gpus", "nodes", "fabrics"}) {
    for (const std::string& name : entries(kind)) {
      INFO(kind << "/" << name);
      const nlohmann::json json =
          read_json_file((catalogue_folder / kind / (name + ".json")).string());
      CHECK(json.at("source").get<std::string>().size() > 20);
    }
  }
}

TEST_CASE("every pair of a node and a fabric makes a cluster", "[topology]") {
  for (const std::string& node_name : entries("nodes")) {
    for (const std::string& fabric_name : entries("fabrics")) {
      INFO(node_name << " " << fabric_name);
      const GroupLayout layout = world(node_name, 2, fabric_name);
      CHECK(layout.ring.count >= 1);
      CHECK(layout.of(TrafficKind::Ring).pace > 0_GB_per_s);
    }
  }
}

TEST_CASE("the catalogue's nodes and fabrics give the channels that NCCL finds", "[topology]") {
  struct Expected {
    std::string node;
    std::string fabric;
    int channels;
    double channel_gb_per_s;
  };
  const auto expected = GENERATE(values<Expected>({
      {"dgx_a100_80gb", "hdr_rail", 8, 24},
      {"dgx_a100_80gb", "hdr_x4", 4, 24},
      {"aws_p4d", "efa_p4d", 4, 12},
      {"dgx_h100_80gb", "ndr_rail", 8, 48},
      {"dgx_h100_80gb", "efa_p5", 32, 12},
      {"dgx_b200", "ndr_rail", 8, 47.9},
      {"v100_sxm2_32gb_x4", "opa100_x4", 4, 12},
  }));
  INFO(expected.node << " " << expected.fabric);
  const GroupLayout layout = world(expected.node, 2, expected.fabric);
  CHECK(layout.ring.count == expected.channels);
  CHECK_THAT(layout.ring.inter.value(), WithinRel(expected.channel_gb_per_s * 1e9, 1e-12));
}

TEST_CASE("a node refers to its GPU by its catalogue name", "[topology]") {
  const NodeSpec spec = node("dgx_a100_80gb");
  CHECK(spec.gpu.name == "a100_sxm_80gb");
  CHECK(spec.gpu.architecture == GpuArchitecture::Ampere);
  CHECK(spec.gpu.multiprocessors == 108);
  CHECK(spec.gpu.memory == 79.15_GiB);
  CHECK(spec.nvlink_bandwidth == 240_GB_per_s);
  CHECK(spec.cpu_vendor == CpuVendor::Amd);
}

TEST_CASE("a fabric's words and numbers are read", "[topology]") {
  const FabricSpec spec = fabric("efa_p5");
  CHECK(spec.layout == FabricLayout::SingleSwitch);
  CHECK(spec.transport == Transport::Efa);
  CHECK(spec.nics_per_node == 32);
  CHECK(spec.nic_bandwidth == 100_Gbit_per_s);
  CHECK(spec.nic_latency == 75_us);
}

TEST_CASE("a node whose wiring lacks a bandwidth is refused", "[topology]") {
  nlohmann::json json = node_json();
  json.erase("nvlink_bandwidth");
  CHECK_THROWS_WITH(read<NodeSpec>(json),
                    "test.json: at /nvlink_bandwidth: GPUs joined by NVLink need a bandwidth\n"
                    "  hint: \"interconnect\": \"pcie\" stands for GPUs without NVLink");
  json = node_json();
  json["interconnect"] = "pcie";
  CHECK_THROWS_WITH(read<NodeSpec>(json),
                    "test.json: at /nvlink_bandwidth: GPUs joined by PCIe have no NVLink\n"
                    "  hint: \"interconnect\" takes \"nvswitch\" and \"nvlink_mesh\" too");
  json = node_json();
  json["gpus_per_pcie_switch"] = 2;
  CHECK_THROWS_WITH(
      read<NodeSpec>(json),
      "test.json: at /pcie_switch_bandwidth: a PCIe switch needs a bandwidth to its socket\n"
      "  hint: without PCIe switches, gpus_per_pcie_switch is 1");
  json = node_json();
  json.erase("socket_bandwidth");
  CHECK_THROWS_WITH(
      read<NodeSpec>(json),
      "test.json: at /socket_bandwidth: several sockets need a bandwidth between them");
}

TEST_CASE("counts and rates that make no sense are refused", "[topology]") {
  const auto [key, value] = GENERATE(table<std::string, nlohmann::json>({
      {"gpus", 0},
      {"gpus_per_pcie_switch", 0},
      {"sockets", 0},
      {"pcie_bandwidth", "0 GB/s"},
      {"host_memory_bandwidth", "0 GB/s"},
      {"cpu_vendor", "ibm"},
      {"nvlink_bandwith", "1 GB/s"},
  }));
  nlohmann::json json = node_json();
  json[key] = value;
  INFO(key);
  CHECK_THROWS_AS(read<NodeSpec>(json), InputError);
}

TEST_CASE("every key of the hardware has a line of documentation", "[topology]") {
  GpuSpec gpu;
  NodeSpec spec;
  FabricSpec network;
  for (const Fields::Describe& description :
       {Fields::Describe([&](Fields& f) { describe(f, gpu); }),
        Fields::Describe([&](Fields& f) { describe(f, spec); }),
        Fields::Describe([&](Fields& f) { describe(f, network); })}) {
    const nlohmann::json properties = schema_of_fields(description).at("properties");
    for (const auto& [key, schema] : properties.items()) {
      if (key == "source" || key == "caveats" || key == "comment" || key == "title") continue;
      INFO(key);
      CHECK(schema.contains("description"));
    }
  }
}
