#include "scenarios/import/node_file.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/input_error.h"
#include "base/text_file.h"
#include "tests/support/small_scenario.h"

namespace stepcast {
namespace {

NodeSketch eight_gpus() {
  NodeSketch sketch;
  sketch.gpus = 8;
  sketch.gpu_device = "0x20b2";
  sketch.interconnect = GpuInterconnect::NvSwitch;
  sketch.nvlinks = 12;
  sketch.pcie_bandwidth = 24_GB_per_s;
  sketch.gpus_per_pcie_switch = 2;
  sketch.sockets = 4;
  return sketch;
}

NodeFile file_of(const NodeSketch& sketch, const std::string& gpu = "",
                 const std::string& like = "") {
  Catalogue catalogue(catalogue_folder());
  return node_file(sketch, gpu, like, "imported from topo.xml", catalogue);
}

}  // namespace

TEST_CASE("an imported node: what the file says, and the rest from a node with the same GPU",
          "[scenarios]") {
  const NodeFile file = file_of(eight_gpus());
  CHECK(file.gpu == "a100_sxm_80gb");
  CHECK(file.like == "dgx_a100_80gb");
  CHECK((*file.json)["nvlink_bandwidth"] == "240 GB/s");  // 12 links of 20 GB/s
  CHECK((*file.json)["sockets"] == 4);
  CHECK((*file.json)["host_memory"] == "2 TB");
  CHECK(file.from_like == std::vector<std::string>{"pcie_switch_bandwidth", "socket_bandwidth",
                                                   "cpu_vendor", "host_memory",
                                                   "host_memory_bandwidth", "power_besides_gpus"});
  CHECK(file.to_fill_in.empty());
}

TEST_CASE("an imported node of an unknown GPU lists what is to be filled in", "[scenarios]") {
  NodeSketch sketch = eight_gpus();
  sketch.gpu_device.clear();
  const NodeFile file = file_of(sketch);
  CHECK(file.to_fill_in == std::vector<std::string>{"gpu", "nvlink_bandwidth",
                                                    "pcie_switch_bandwidth", "socket_bandwidth",
                                                    "cpu_vendor", "host_memory",
                                                    "host_memory_bandwidth"});
  CHECK_FALSE(file.json->contains("gpu"));
  CHECK(file_of(sketch, "h100_sxm_80gb").like == "azure_ndv5");
}

TEST_CASE("an imported node is what `cluster.node` takes", "[scenarios]") {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("node.json", file_of(eight_gpus()).json->dump());
  const Scenario scenario =
      test::read_text(test::small_scenario(), {.settings = {"cluster.node=" + path}});
  CHECK(scenario.cluster.node.sockets == 4);
  CHECK(scenario.cluster.node.gpu.name == "a100_sxm_80gb");
}

TEST_CASE("an imported node: names that the catalogue lacks are told", "[scenarios]") {
  CHECK_THROWS_AS(file_of(eight_gpus(), "a100_sxm_81gb"), InputError);
  CHECK_THROWS_AS(file_of(eight_gpus(), "", "dgx_a1000"), InputError);
}

TEST_CASE("every published topology reads or is refused with a line", "[scenarios]") {
  const std::filesystem::path samples = "../shared/data/topology";
  if (!std::filesystem::exists(samples)) {
    WARN("skipped: no " + samples.string());
    return;
  }
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(samples)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".md") || name.starts_with("nccl_")) continue;
    CAPTURE(name);
    const std::string text = read_text_file(entry.path().string());
    try {
      const NodeSketch sketch =
          name.starts_with("xml_") ? read_nccl_xml(text, name) : read_smi_topology(text, name);
      CHECK(sketch.gpus >= 2);
      ++read;
    } catch (const InputError& error) {
      CHECK_THAT(error.what(), Catch::Contains("at line "));
    }
  }
  CHECK(read >= 20);
}

}  // namespace stepcast
