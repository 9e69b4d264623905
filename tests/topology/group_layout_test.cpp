#include "topology/group_layout.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

#include "tests/topology/small_clusters.h"

using namespace stepcast;
using namespace stepcast::test;
using Catch::Matchers::WithinRel;

namespace {

GroupLayout layout_of(const Cluster& cluster, const std::vector<GpuId>& gpus) {
  return layout_group(cluster, gpus);
}

std::vector<GpuId> all_gpus(const Cluster& cluster) {
  std::vector<GpuId> gpus(static_cast<std::size_t>(cluster.num_gpus()));
  std::iota(gpus.begin(), gpus.end(), 0);
  return gpus;
}

const Traffic& ring(const GroupLayout& layout) { return layout.of(TrafficKind::Ring); }

int weight_of(const Cluster& cluster, const GroupLayout& layout, const std::string& link) {
  for (const WeightedLink& crossed : ring(layout).links) {
    if (cluster.links()[static_cast<std::size_t>(crossed.link)].name == link) return crossed.weight;
  }
  return 0;
}

int total_weight(const GroupLayout& layout) {
  const std::vector<WeightedLink>& links = ring(layout).links;
  return std::accumulate(links.begin(), links.end(), 0,
                         [](int sum, const WeightedLink& link) { return sum + link.weight; });
}

}  // namespace

TEST_CASE("a single rank has no ring", "[topology]") {
  const GroupLayout layout = layout_of(cluster_of(2, nvswitch_node()), {3});
  CHECK(layout.ranks == 1);
  CHECK(ring(layout).links.empty());
  CHECK(layout.intra == IntraTransport::None);
  CHECK_FALSE(layout.crosses_network);
  CHECK(layout.of(TrafficKind::Ring).pace == BytesPerSecond());
}

TEST_CASE("a group on NVSwitches: one ring at the GPUs' full rate", "[topology]") {
  const Cluster cluster = cluster_of(1, nvswitch_node());
  const GroupLayout layout = layout_of(cluster, {4, 1, 6});
  CHECK(layout.ranks == 3);
  CHECK(layout.nodes == 1);
  CHECK(layout.ranks_per_node == 3);
  CHECK(layout.intra == IntraTransport::NvLink);
  CHECK(layout.ring.count == 12);
  CHECK(layout.ring.intra == 20_GB_per_s);
  CHECK(layout.of(TrafficKind::Ring).pace == 240_GB_per_s);
  CHECK(ring(layout).units == 1);
  CHECK(ring(layout).links.size() == 6);
  CHECK(total_weight(layout) == 6);
}

TEST_CASE("a group without NVLink goes at the pace of the sockets' link", "[topology]") {
  const Cluster cluster = cluster_of(1, pcie_node());
  const GroupLayout all = layout_of(cluster, all_gpus(cluster));
  CHECK(all.intra == IntraTransport::Pcie);
  CHECK(all.of(TrafficKind::Ring).pace == 16_GB_per_s);
  // 3 + 3 hops of 2 links, and 2 hops of 5 between the halves
  CHECK(total_weight(all) == 6 * 2 + 2 * 5);
  CHECK(layout_of(cluster, {0, 1, 2, 3}).of(TrafficKind::Ring).pace == 24_GB_per_s);
}

TEST_CASE("a group on a mesh uses every direct link between its members", "[topology]") {
  const Cluster cluster = cluster_of(1, mesh_node());
  const GroupLayout pair = layout_of(cluster, {0, 2});
  CHECK(pair.ring.count == 2);
  CHECK(pair.of(TrafficKind::Ring).pace == 40_GB_per_s);
  const GroupLayout all = layout_of(cluster, all_gpus(cluster));
  // 4 GPUs send 3 x 40 GB/s each: 12 directed links, once each
  CHECK(all.ring.count == 6);  // of 20 GB/s, as NCCL finds on four V100s
  CHECK(ring(all).units == 3);
  CHECK(all.of(TrafficKind::Ring).pace == 40_GB_per_s);
  CHECK(ring(all).links.size() == 12);
  CHECK(total_weight(all) == 12);
}

TEST_CASE("8 GPUs and 8 NICs a node: 8 channels of one NIC each", "[topology]") {
  const Cluster cluster = cluster_of(4, nvswitch_node());
  const GroupLayout layout = layout_of(cluster, all_gpus(cluster));
  CHECK(layout.nodes == 4);
  CHECK(layout.ranks_per_node == 8);
  CHECK(layout.crosses_network);
  CHECK(layout.ring.count == 8);
  CHECK(layout.of(TrafficKind::Ring).pace == 24_GB_per_s);
  // Every channel passes every GPU: 240 / 8
  CHECK(layout.tree.intra == 30_GB_per_s);
  CHECK(weight_of(cluster, layout, "node2/gpu5>nvswitch") == 8);
  CHECK(weight_of(cluster, layout, "node2/nvswitch>gpu5") == 8);
  CHECK(weight_of(cluster, layout, "node2/gpu5>pcie2") == 1);
  CHECK(weight_of(cluster, layout, "node2/nic5>leaf5") == 1);
  CHECK(weight_of(cluster, layout, "leaf5>node2/nic5") == 1);
  CHECK(weight_of(cluster, layout, "leaf5>spine") == 0);
}

TEST_CASE("8 GPUs and 4 NICs a node: 4 channels", "[topology]") {
  const Cluster cluster =
      cluster_of(2, nvswitch_node(), fabric(FabricLayout::FatTree, 4, 100_Gbit_per_s));
  const GroupLayout layout = layout_of(cluster, all_gpus(cluster));
  CHECK(layout.ring.count == 4);
  CHECK(layout.of(TrafficKind::Ring).pace == 12_GB_per_s);
  // Channel 2 enters and leaves by gpu4, which is the first near NIC 2.
  CHECK(weight_of(cluster, layout, "node0/gpu4>pcie2") == 1);
  CHECK(weight_of(cluster, layout, "node0/gpu5>pcie2") == 0);
}

TEST_CASE("one GPU a node: its own NIC's channel", "[topology]") {
  const Cluster cluster = cluster_of(2, nvswitch_node());
  const GroupLayout layout = layout_of(cluster, {3, 11});
  CHECK(layout.ranks_per_node == 1);
  CHECK(layout.intra == IntraTransport::None);
  CHECK(layout.ring.count == 1);
  CHECK(layout.of(TrafficKind::Ring).pace == 24_GB_per_s);
  // There and back: GPU, PCIe switch, NIC, leaf, NIC, PCIe switch, GPU
  CHECK(ring(layout).links.size() == 2 * 6);
  CHECK(total_weight(layout) == 2 * 6);
}

TEST_CASE("one GPU a node with several NICs: a channel for each", "[topology]") {
  const Cluster cluster =
      cluster_of(2, direct_node(), fabric(FabricLayout::SingleSwitch, 32, 100_Gbit_per_s));
  const GroupLayout layout = layout_of(cluster, {1, 9});
  CHECK(layout.ring.count == 4);
  CHECK(layout.of(TrafficKind::Ring).pace == 12_GB_per_s);  // NIC 12, and the GPU's slot 48 / 4
  CHECK(weight_of(cluster, layout, "node0/gpu1>socket0") == 4);
  CHECK(weight_of(cluster, layout, "node0/nic4>switch") == 1);
}

TEST_CASE("nodes whose members are near to different NICs pair them in order", "[topology]") {
  const Cluster cluster =
      cluster_of(2, direct_node(), fabric(FabricLayout::SingleSwitch, 32, 100_Gbit_per_s));
  const GroupLayout layout = layout_of(cluster, {0, 9});
  CHECK(layout.ring.count == 4);
  CHECK(layout.of(TrafficKind::Ring).pace == 12_GB_per_s);
  CHECK(weight_of(cluster, layout, "node0/nic3>switch") == 1);
  CHECK(weight_of(cluster, layout, "switch>node1/nic7") == 1);
  CHECK(weight_of(cluster, layout, "node1/nic3>switch") == 0);
}

TEST_CASE("members that share a NIC have one channel and need no NVLink to reach it",
          "[topology]") {
  const Cluster cluster =
      cluster_of(2, nvswitch_node(), fabric(FabricLayout::FatTree, 4, 200_Gbit_per_s));
  const GroupLayout layout = layout_of(cluster, {0, 1, 8, 9});
  CHECK(layout.ring.count == 1);
  CHECK(layout.of(TrafficKind::Ring).pace == 24_GB_per_s);
  CHECK(weight_of(cluster, layout, "node0/pcie0>gpu0") == 1);  // in at gpu0
  CHECK(weight_of(cluster, layout, "node0/gpu0>nvswitch") == 1);
  CHECK(weight_of(cluster, layout, "node0/gpu1>pcie0") == 1);  // out at gpu1
  CHECK(weight_of(cluster, layout, "node0/gpu1>nvswitch") == 0);
  CHECK(total_weight(layout) == 2 * (2 + 6));
}

TEST_CASE("the last member reaches its channel's NIC through the NIC's owner", "[topology]") {
  const Cluster cluster =
      cluster_of(2, nvswitch_node(), fabric(FabricLayout::FatTree, 4, 200_Gbit_per_s));
  const GroupLayout layout = layout_of(cluster, {0, 1, 2, 3, 8, 9, 10, 11});
  // NIC 0: 0 1 2 3 0; NIC 1: 2 3 0 1 2
  CHECK(layout.ring.count == 2);
  for (const char* gpu : {"gpu0", "gpu1", "gpu2", "gpu3"}) {
    CHECK(weight_of(cluster, layout, "node1/" + std::string(gpu) + ">nvswitch") == 2);
  }
  CHECK(weight_of(cluster, layout, "node1/gpu2>pcie1") == 1);
  CHECK(weight_of(cluster, layout, "node1/gpu3>pcie1") == 0);
}

TEST_CASE("without NVLink the last member reaches the NIC by PCIe", "[topology]") {
  const Cluster cluster =
      cluster_of(2, pcie_node(), fabric(FabricLayout::FatTree, 4, 100_Gbit_per_s));
  const GroupLayout layout = layout_of(cluster, all_gpus(cluster));
  CHECK(layout.ring.count == 4);
  // Each channel goes from socket to socket once in each direction: 16 / 4 is less than NIC's 12.
  CHECK(weight_of(cluster, layout, "node0/socket0>socket1") == 4);
  CHECK(weight_of(cluster, layout, "node0/socket1>socket0") == 4);
  CHECK(layout.of(TrafficKind::Ring).pace == 4_GB_per_s);
}

TEST_CASE("on a mesh every other channel passes the members backwards", "[topology]") {
  const Cluster cluster =
      cluster_of(2, mesh_node(), fabric(FabricLayout::FatTree, 4, 100_Gbit_per_s));
  const GroupLayout layout = layout_of(cluster, all_gpus(cluster));
  CHECK(layout.ring.count == 4);
  CHECK(layout.of(TrafficKind::Ring).pace == 12_GB_per_s);
  CHECK(weight_of(cluster, layout, "node0/gpu0>gpu1") == 2);
  CHECK(weight_of(cluster, layout, "node0/gpu1>gpu0") == 2);
  CHECK(weight_of(cluster, layout, "node0/gpu0>gpu2") == 0);
}

TEST_CASE("rings that cross oversubscribed leaves share the uplinks", "[topology]") {
  FabricSpec network = fabric(FabricLayout::FatTree, 4, 200_Gbit_per_s);
  network.nodes_per_leaf = 2;
  network.oversubscription = 4.0;
  const Cluster cluster = cluster_of(4, nvswitch_node(), network);
  // Uplink: 2 nodes x 4 NICs x 24 GB/s / 4 = 48 GB/s. Four channels cross it: 12 each.
  const GroupLayout world = layout_of(cluster, all_gpus(cluster));
  CHECK(weight_of(cluster, world, "leaf0>spine") == 4);
  CHECK(weight_of(cluster, world, "spine>leaf0") == 4);
  CHECK(world.of(TrafficKind::Ring).pace == 12_GB_per_s);
  // One channel alone has its NIC's rate.
  CHECK(layout_of(cluster, {0, 16}).of(TrafficKind::Ring).pace == 24_GB_per_s);
  // Members on alternating leaves cross at every hop; rings go node by node, so they do not.
  CHECK(weight_of(cluster, layout_of(cluster, {24, 0, 16, 8}), "leaf0>spine") == 1);
}

TEST_CASE("a group that is spread unevenly still passes every member once", "[topology]") {
  const Cluster cluster = cluster_of(3, nvswitch_node());
  const GroupLayout layout = layout_of(cluster, {0, 1, 2, 8, 16, 17});
  CHECK(layout.ranks_per_node == 3);
  CHECK(layout.ring.count == 1);  // only NIC 0 is near to a member in every node
  // 3 hops (2 + back to gpu0), 0, 2 hops of two links; three network hops of six
  CHECK(total_weight(layout) == 2 * (3 + 0 + 2) + 3 * 6);
}

TEST_CASE("every channel leaves and enters every node once", "[topology]") {
  const NodeSpec node =
      GENERATE(values({nvswitch_node(), direct_node(), pcie_node(), mesh_node()}));
  const int nics = GENERATE(1, 2, 4, 8, 16);
  const int nodes = GENERATE(2, 3, 5);
  FabricSpec network = fabric(FabricLayout::RailOptimized, nics, 200_Gbit_per_s);
  network.nodes_per_leaf = 2;
  const Cluster cluster = cluster_of(nodes, node, network);
  const GroupLayout layout = layout_of(cluster, all_gpus(cluster));
  int on_nics = 0;
  const std::vector<WeightedLink>& links = ring(layout).links;
  for (std::size_t i = 0; i < links.size(); ++i) {
    const auto& [link, weight] = links[i];
    if (i > 0) REQUIRE(links[i - 1].link < link);
    if (cluster.links()[static_cast<std::size_t>(link)].kind == LinkKind::Nic) on_nics += weight;
    REQUIRE(cluster.links()[static_cast<std::size_t>(link)].bandwidth / weight >=
            layout.of(TrafficKind::Ring).pace);
  }
  CHECK(layout.ring.count >= 1);
  CHECK(on_nics == 2 * nodes * ring(layout).units);
}

TEST_CASE("a group's layout does not depend on the order of its members", "[topology]") {
  const Cluster cluster = cluster_of(3, nvswitch_node());
  std::vector<GpuId> gpus{0, 3, 5, 9, 12, 17, 20};
  const GroupLayout sorted = layout_of(cluster, gpus);
  std::reverse(gpus.begin(), gpus.end());
  CHECK(ring(layout_of(cluster, gpus)).links == ring(sorted).links);
}

TEST_CASE("a pair's ring is its route", "[topology]") {
  const Cluster cluster = cluster_of(2, nvswitch_node());
  const GroupLayout inside = layout_pair(cluster, 2, 7);
  CHECK(inside.ranks == 2);
  CHECK(inside.intra == IntraTransport::NvLink);
  CHECK(ring(inside).links.size() == 2);
  CHECK(inside.of(TrafficKind::Ring).pace == 240_GB_per_s);
  const GroupLayout across = layout_pair(cluster, 2, 8);
  CHECK(across.crosses_network);
  CHECK(across.nodes == 2);
  CHECK(across.ranks_per_node == 1);
  CHECK(across.ring.count == 1);
  CHECK(across.of(TrafficKind::Ring).pace == 24_GB_per_s);
  CHECK(total_weight(across) == static_cast<int>(cluster.route(2, 8).size()));
}

TEST_CASE("a pair with several NICs uses them all", "[topology]") {
  const Cluster cluster =
      cluster_of(2, direct_node(), fabric(FabricLayout::SingleSwitch, 32, 100_Gbit_per_s));
  const GroupLayout layout = layout_pair(cluster, 7, 8);
  CHECK(layout.ring.count == 4);
  CHECK(layout.of(TrafficKind::Ring).pace == 12_GB_per_s);
  CHECK(weight_of(cluster, layout, "node0/gpu7>socket1") == 4);
  CHECK(weight_of(cluster, layout, "node0/nic31>switch") == 1);
  CHECK(weight_of(cluster, layout, "switch>node1/nic3") == 1);
}

TEST_CASE("a layout carries what NCCL's tuner asks about the hardware", "[topology]") {
  NodeSpec node = nvswitch_node();
  node.cpu_vendor = CpuVendor::Intel;
  node.gpu.architecture = GpuArchitecture::Hopper;
  FabricSpec network = rails();
  network.transport = Transport::Efa;
  network.nic_latency = 75_us;
  const GroupLayout layout = layout_of(cluster_of(2, node, network), {0, 8});
  CHECK(layout.cpu_vendor == CpuVendor::Intel);
  CHECK(layout.architecture == GpuArchitecture::Hopper);
  CHECK(layout.transport == Transport::Efa);
  CHECK(layout.nic_latency == 75_us);
}
