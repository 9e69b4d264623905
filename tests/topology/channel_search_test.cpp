#include <catch2/catch.hpp>
#include <numeric>

#include "tests/topology/small_clusters.h"
#include "topology/group_layout.h"

using namespace stepcast;
using namespace stepcast::test;
using Catch::Matchers::WithinRel;

namespace {

GroupLayout all_of(const Cluster& cluster) {
  std::vector<GpuId> gpus(static_cast<std::size_t>(cluster.num_gpus()));
  std::iota(gpus.begin(), gpus.end(), 0);
  return layout_group(cluster, gpus, false);
}

struct Case {
  const char* what;
  GpuArchitecture gpu;
  int gpus;
  double nvlink;  // GB/s a GPU
  int nodes;
  int nics;
  double nic;  // usable GB/s
  SearchedChannels ring;
  double tree_intra;
};

SearchedChannels channels(int count, double pace) {
  return {count, pace * 1_GB_per_s, pace * 1_GB_per_s};
}

constexpr GpuArchitecture kAmpere = GpuArchitecture::Ampere;
constexpr GpuArchitecture kHopper = GpuArchitecture::Hopper;

}  // namespace

TEST_CASE("NCCL's search under NVSwitches: channels and paces of well-known machines",
          "[topology]") {
  // Logs print two channels for each that the search finds: Channel 00/24 on one node of A100 or
  // H100, 00/16 on nodes of 8 H100 with 8 NDR NICs, 00/08 on p4d, 00/02 with one GPU and HDR NIC.
  const auto c = GENERATE(values<Case>({
      {"one node of 8 A100", kAmpere, 8, 240, 1, 0, 0, channels(12, 20), 20},
      {"8 A100 with 8 HDR", kAmpere, 8, 240, 2, 8, 24, channels(8, 24), 30},
      {"p4d: 8 A100 with 4 x 100 Gbit/s", kAmpere, 8, 240, 2, 4, 12, channels(4, 12), 24},
      {"one A100 with one HDR NIC", kAmpere, 1, 240, 2, 1, 24, channels(1, 24), 48},
      {"one node of 8 H100", kHopper, 8, 370.8, 1, 0, 0, channels(12, 30), 30},
      {"8 H100 with 8 NDR", kHopper, 8, 370.8, 4, 8, 48, channels(8, 48), 48},
      {"4 H100 with 4 NDR", kHopper, 4, 370.8, 2, 4, 48, channels(8, 24), 48},
      {"8 A100 with 4 x 400 Gbit/s", kAmpere, 8, 240, 2, 4, 48, channels(8, 24), 30},
      {"8 B200 with 8 NDR", GpuArchitecture::Blackwell, 8, 720, 2, 8, 48, channels(8, 47.9), 47.9},
  }));
  INFO(c.what);
  NodeSpec node = nvswitch_node();
  node.gpu.architecture = c.gpu;
  node.gpus = c.gpus;
  node.nvlink_bandwidth = c.nvlink * 1_GB_per_s;
  node.pcie_bandwidth = 48_GB_per_s;
  node.gpus_per_pcie_switch = 1;
  FabricSpec network = fabric(FabricLayout::SingleSwitch, c.nics, c.nic * 1_GB_per_s);
  network.nic_efficiency = 1;
  const GroupLayout layout = all_of(cluster_of(c.nodes, node, network));
  CHECK(layout.ring.count == c.ring.count);
  CHECK_THAT(layout.ring.intra.value(), WithinRel(c.ring.intra.value(), 1e-12));
  CHECK(layout.ring.inter == layout.ring.intra);
  CHECK(layout.tree.count == c.ring.count);
  CHECK_THAT(layout.tree.intra / 1_GB_per_s, WithinRel(c.tree_intra, 1e-12));
}

TEST_CASE("four V100s joined in pairs: six rings of 20 GB/s, as NCCL finds", "[topology]") {
  // At 40 GB/s only two rings share no cable; at 20 all six orders of the others do, twice each
  // way.
  const GroupLayout layout = all_of(cluster_of(1, mesh_node()));
  CHECK(layout.ring.count == 6);
  CHECK(layout.ring.intra == 20_GB_per_s);
}

TEST_CASE("GPUs on PCIe: one ring between sockets, at the rung below xGMI", "[topology]") {
  // Socket to socket 16 GB/s: the rung of 15 fits once, and two of 7 are less.
  const GroupLayout layout = all_of(cluster_of(1, pcie_node()));
  CHECK(layout.ring.count == 1);
  CHECK(layout.ring.intra == 15_GB_per_s);
}

TEST_CASE("links narrower than every rung carry one channel at their own pace", "[topology]") {
  const Cluster cluster =
      cluster_of(2, nvswitch_node(), fabric(FabricLayout::SingleSwitch, 1, 0.1_GB_per_s));
  const GroupLayout layout = all_of(cluster);
  CHECK(layout.ring.count == 1);
  CHECK_THAT(layout.ring.inter / 1_GB_per_s, WithinRel(0.096, 1e-12));
}
