#include <catch2/catch.hpp>
#include <string>

#include "base/input_error.h"
#include "topology/import/node_sketch.h"

namespace stepcast {
namespace {

using Catch::Matchers::Contains;
using Read = NodeSketch (*)(std::string_view, const std::string&);

std::string refusal(Read read, const std::string& text) {
  try {
    read(text, "topo");
  } catch (const InputError& error) {
    return error.what();
  }
  return "read without complaint";
}

// Two GPUs and two NICs on a PCIe switch, another such pair on the other socket.
const std::string two_switches =
    "\tGPU0\tGPU1\tGPU2\tGPU3\tNIC0\tNIC1\tNIC2\tCPU Affinity\tNUMA Affinity\n"
    "GPU0\t X \tNV12\tNV12\tNV12\tPXB\tSYS\tSYS\t0-23,48-71\t0\n"
    "GPU1\tNV12\t X \tNV12\tNV12\tPXB\tSYS\tSYS\t0-23,48-71\t0\n"
    "GPU2\tNV12\tNV12\t X \tNV12\tSYS\tPIX\tSYS\t24-47,72-95\t1\n"
    "GPU3\tNV12\tNV12\tNV12\t X \tSYS\tPIX\tSYS\t24-47,72-95\t1\n"
    "NIC0\tPXB\tPXB\tSYS\tSYS\t X \tSYS\tSYS\n"
    "NIC1\tSYS\tSYS\tPIX\tPIX\tSYS\t X \tSYS\n"
    "NIC2\tSYS\tSYS\tSYS\tSYS\tSYS\tSYS\t X \n"
    "\nLegend:\n\n  X    = Self\n  PIX  = Connection traversing at most a single PCIe bridge\n";

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string xml_of(const std::string& inside) {
  return "<!-- a comment -->\n<system version=\"1\">\n"
         "<cpu numaid=\"0\" vendor=\"GenuineIntel\" familyid=\"6\" modelid=\"143\">\n" +
         inside + "\n</cpu>\n</system>\n";
}

const std::string one_gpu =
    R"(<pci busid="0:1" class="0x030200" device="0x2330" link_speed="32.0 GT/s PCIe" link_width="16">
<gpu dev="0" sm="90"><nvlink target="0:9" count="18" tclass="0x068000"/></gpu></pci>)";

}  // namespace

TEST_CASE("topo -m: GPUs, their NVLinks, switches, sockets, and NICs near and far", "[topology]") {
  const NodeSketch node = read_smi_topology(two_switches, "topo");
  CHECK(node.gpus == 4);
  CHECK(node.interconnect == GpuInterconnect::NvSwitch);  // 3 x 12 links are more than any GPU has
  CHECK(node.nvlinks == 12);
  CHECK(node.architecture == GpuArchitecture::Ampere);
  CHECK(node.gpus_per_pcie_switch == 2);
  CHECK(node.sockets == 2);
  CHECK(node.near_nics == 2);
  CHECK(node.far_nics == 1);
}

TEST_CASE("topo -m: with blanks between columns and a terminal's underlining it is the same",
          "[topology]") {
  std::string text = with(two_switches, "\tGPU0", "\t\x1b[4mGPU0");
  text = with(text, "NUMA Affinity\n", "NUMA Affinity\x1b[0m\n");
  for (char& c : text) {
    if (c == '\t') c = ' ';
  }
  const NodeSketch node = read_smi_topology("# pasted\n" + text, "topo");
  CHECK(node.gpus == 4);
  CHECK(node.gpus_per_pcie_switch == 2);
}

TEST_CASE("topo -m: few links between all pairs are cables, a mesh", "[topology]") {
  const NodeSketch node = read_smi_topology(
      "     GPU0 GPU1 GPU2\nGPU0 X NV2 NV2\nGPU1 NV2 X NV2\nGPU2 NV2 NV2 X\n", "topo");
  CHECK(node.interconnect == GpuInterconnect::NvLinkMesh);
  CHECK(node.nvlinks == 4);  // 2 to each of 2 others
}

TEST_CASE("topo -m: NVLink between some pairs only is told, not kept", "[topology]") {
  const NodeSketch node = read_smi_topology(
      " GPU0 GPU1 GPU2 CPU Affinity\nGPU0 X NV4 SYS 0\nGPU1 NV4 X SYS 0\nGPU2 SYS SYS X 1\n",
      "topo");
  CHECK(node.interconnect == GpuInterconnect::Pcie);
  REQUIRE(node.caveats.size() == 1);
  CHECK(node.sockets == 2);
}

TEST_CASE("topo -m: what is wrong is named with its line", "[topology]") {
  const auto smi = [](const std::string& text) { return refusal(read_smi_topology, text); };
  CHECK_THAT(smi(with(two_switches, "SYS\tSYS\t0-23", "SYS\tSYS0-23")),
             Contains("topo: at line 2: \"SYS0-23,48-71\" in column NIC2 is no relation"));
  CHECK_THAT(smi(with(two_switches, "NIC2\tSYS\tSYS\tSYS\tSYS\tSYS\tSYS\t X \n", "")),
             Contains("topo: at line 1: NIC2 has a column and no row"));
  CHECK_THAT(smi(with(two_switches, "NIC2\tSYS\tSYS\tSYS\tSYS\tSYS\tSYS\t X \n", "NIC2\tSYS\n")),
             Contains("topo: at line 8: the row of NIC2 has 1 cells, the header 7 devices"));
  CHECK_THAT(smi(with(two_switches, "GPU3\tNV12", "GPU3\tSYS")),
             Contains("topo: at line 2: GPU0 to GPU3 is NV12, and back SYS"));
  CHECK_THAT(smi(" GPU0 GPU1\nGPU0 0 XGMI\nGPU1 XGMI 0\n"), Contains("this is AMD's rocm-smi"));
  CHECK_THAT(smi(" GPU0 GPU1\nGPU0 X OK\nGPU1 OK X\n"), Contains("nvidia-smi topo -p2p"));
  CHECK_THAT(smi("no table\n"), Contains("there is no header with GPU0"));
}

TEST_CASE("XML: a whole dump gives GPU, links, CPU and NIC", "[topology]") {
  const NodeSketch node = read_nccl_xml(
      xml_of(R"(<pci busid="0:0" class="0x060400" link_speed="32.0 GT/s PCIe" link_width="16">)" +
             one_gpu + R"(<pci busid="0:2" class="0x020700"><nic>
<net name="mlx5_0" speed="400000"/></nic></pci></pci>)"),
      "topo");
  CHECK(node.gpus == 1);
  CHECK(node.gpu_device == "0x2330");
  CHECK(node.architecture == GpuArchitecture::Hopper);
  CHECK(node.interconnect == GpuInterconnect::NvSwitch);
  CHECK(node.nvlinks == 18);
  CHECK(node.pcie_bandwidth->value() == Approx(48e9));  // 32 GT/s x 16 lanes x 7.5 / 80
  CHECK(node.gpus_per_pcie_switch == 1);
  CHECK(node.cpu_vendor == CpuVendor::Intel);
  CHECK(node.socket_bandwidth == 22_GB_per_s);  // Sapphire Rapids
  CHECK(node.near_nics == 1);
  CHECK(node.nic_bandwidth->value() == Approx(50e9));
}

TEST_CASE("XML: a partial file says nothing of NVLink, and that is no PCIe node", "[topology]") {
  const NodeSketch node = read_nccl_xml(
      xml_of(R"(<pci busid="0:1" class="0x030200" link_speed="5 GT/s" link_width="16"/>)"), "topo");
  CHECK_FALSE(node.interconnect);
  CHECK(node.pcie_bandwidth->value() == Approx(6e9));  // 5 GT/s x 16 lanes x 6 / 80
}

TEST_CASE("XML: what is wrong is named with its line", "[topology]") {
  const auto xml = [](const std::string& text) { return refusal(read_nccl_xml, text); };
  CHECK_THAT(xml("<system>\n<cpu>\n</system>\n"), Contains("topo: at line 3: malformed XML"));
  CHECK_THAT(xml("<graphs version=\"1\"/>\n"),
             Contains("topo: at line 1: this is a file of NCCL's"));
  CHECK_THAT(xml("<nodes/>\n"), Contains("topo: at line 1: the root is <nodes>"));
  CHECK_THAT(xml("<system>\n<cpu/>\n<nic/>\n</system>\n"),
             Contains("topo: at line 3: <nic> hangs on no CPU: the graph is not connected"));
  CHECK_THAT(xml(xml_of("")), Contains("topo: at line 2: there is no GPU"));
  CHECK_THAT(xml(xml_of(R"(<pci busid="0000:00:16.0"/>)")),
             Contains("topo: at line 4: nothing says whether this device is a GPU or a NIC"));
  CHECK_THAT(xml(xml_of(with(one_gpu, "link_width=\"16\"", "link_width=\"0\""))),
             Contains("topo: at line 4: a PCIe link of bandwidth 0"));
  CHECK_THAT(xml(xml_of(one_gpu + "\n<nic><net speed=\"0\"/></nic>")),
             Contains("topo: at line 6: a NIC of bandwidth 0"));
  CHECK_THAT(xml(xml_of(with(one_gpu, "0x068000", "0x030200"))),
             Contains("topo: at line 5: an NVLink to \"0:9\", which is no GPU"));
  CHECK_THAT(xml(xml_of(with(with(one_gpu, "0x068000", "0x030200"), "0:9", "0:1"))),
             Contains("topo: at line 5: an NVLink from a GPU to itself"));
}

}  // namespace stepcast
