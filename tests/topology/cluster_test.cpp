#include "topology/cluster.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "tests/topology/small_clusters.h"

using namespace stepcast;
using namespace stepcast::test;

using Names = std::vector<std::string>;

namespace {

/// Where a link begins and ends, with the node's name before each of its parts.
std::pair<std::string, std::string> ends_of(const std::string& name) {
  const std::size_t arrow = name.find('>');
  const std::string from = name.substr(0, arrow);
  const std::string to = name.substr(arrow + 1);
  const std::size_t slash = from.find('/');
  const bool leaves_node = to.starts_with("leaf") || to == "switch";
  if (slash == std::string::npos || leaves_node) return {from, to};
  return {from, from.substr(0, slash + 1) + to};
}

std::string gpu_name(const Cluster& cluster, GpuId gpu) {
  return "node" + std::to_string(cluster.node_of(gpu)) + "/gpu" +
         std::to_string(gpu % cluster.gpus_per_node());
}

void require_path(const Cluster& cluster, GpuId from, GpuId to, const std::vector<LinkId>& route) {
  std::string here = gpu_name(cluster, from);
  for (const std::string& name : names(cluster, route)) {
    INFO(name);
    const auto [begin, end] = ends_of(name);
    REQUIRE(begin == here);
    here = end;
  }
  REQUIRE(here == gpu_name(cluster, to));
}

}  // namespace

TEST_CASE("GPUs on NVSwitches talk through them, not through their PCIe switch", "[topology]") {
  const Cluster cluster = cluster_of(1, nvswitch_node());
  // gpu0 and gpu1 share a PCIe switch: as few hops as by NVSwitch, but narrower.
  CHECK(names(cluster, cluster.route(0, 1)) == Names{"node0/gpu0>nvswitch", "node0/nvswitch>gpu1"});
  CHECK(link_named(cluster, "node0/nvswitch>gpu1").bandwidth == 240_GB_per_s);
  CHECK(cluster.route(3, 3).empty());
}

TEST_CASE("GPUs of a mesh talk over their direct link", "[topology]") {
  const Cluster cluster = cluster_of(1, mesh_node());
  CHECK(names(cluster, cluster.route(3, 1)) == Names{"node0/gpu3>gpu1"});
  // 120 GB/s over three neighbours
  CHECK(link_named(cluster, "node0/gpu3>gpu1").bandwidth == 40_GB_per_s);
}

TEST_CASE("GPUs without NVLink talk through PCIe switches and sockets", "[topology]") {
  const Cluster cluster = cluster_of(1, pcie_node());
  CHECK(names(cluster, cluster.route(0, 3)) == Names{"node0/gpu0>pcie0", "node0/pcie0>gpu3"});
  CHECK(names(cluster, cluster.route(3, 4)) == Names{"node0/gpu3>pcie0", "node0/pcie0>socket0",
                                                     "node0/socket0>socket1", "node0/socket1>pcie1",
                                                     "node0/pcie1>gpu4"});
}

TEST_CASE("rails: GPUs of one number meet on one leaf, others cross the spine", "[topology]") {
  const Cluster cluster = cluster_of(2, nvswitch_node());
  CHECK(names(cluster, cluster.route(1, 8 + 1)) == Names{"node0/gpu1>pcie0", "node0/pcie0>nic1",
                                                         "node0/nic1>leaf1", "leaf1>node1/nic1",
                                                         "node1/nic1>pcie0", "node1/pcie0>gpu1"});
  CHECK(names(cluster, cluster.route(1, 8 + 2)) ==
        Names{"node0/gpu1>pcie0", "node0/pcie0>nic1", "node0/nic1>leaf1", "leaf1>spine",
              "spine>leaf2", "leaf2>node1/nic2", "node1/nic2>pcie1", "node1/pcie1>gpu2"});
}

TEST_CASE("a route by a NIC named leaves and enters there", "[topology]") {
  const Cluster cluster = cluster_of(2, nvswitch_node());
  CHECK(names(cluster, cluster.route_by_nic(0, 8, 7)) ==
        Names{"node0/gpu0>pcie0", "node0/pcie0>socket0", "node0/socket0>socket1",
              "node0/socket1>pcie3", "node0/pcie3>nic7", "node0/nic7>leaf7", "leaf7>node1/nic7",
              "node1/nic7>pcie3", "node1/pcie3>socket1", "node1/socket1>socket0",
              "node1/socket0>pcie0", "node1/pcie0>gpu0"});
}

TEST_CASE("rails: the second pod has leaves of its own", "[topology]") {
  FabricSpec network = rails();
  network.nodes_per_leaf = 2;
  const Cluster cluster = cluster_of(3, nvswitch_node(), network);
  const Names route = names(cluster, cluster.route(0, 16));
  CHECK(Names(route.begin() + 2, route.end() - 2) ==
        Names{"node0/nic0>leaf0", "leaf0>spine", "spine>leaf8", "leaf8>node2/nic0"});
}

TEST_CASE("fat tree: a node's NICs share a leaf, whose uplinks are as wide as its ports allow",
          "[topology]") {
  FabricSpec network = fabric(FabricLayout::FatTree, 4, 200_Gbit_per_s);
  network.nodes_per_leaf = 2;
  network.oversubscription = 3.0;
  const Cluster cluster = cluster_of(3, nvswitch_node(), network);
  CHECK(names(cluster, cluster.route(2, 8)) == Names{"node0/gpu2>pcie1", "node0/pcie1>nic1",
                                                     "node0/nic1>leaf0", "leaf0>node1/nic0",
                                                     "node1/nic0>pcie0", "node1/pcie0>gpu0"});
  CHECK(link_named(cluster, "node1/nic3>leaf0").bandwidth == 24_GB_per_s);
  // 2 nodes x 4 NICs x 24 GB/s / 3; the last leaf has one node and is built like the others
  CHECK(link_named(cluster, "leaf0>spine").bandwidth == 64_GB_per_s);
  CHECK(link_named(cluster, "spine>leaf1").bandwidth == 64_GB_per_s);
}

TEST_CASE("a single switch joins all nodes and needs no spine", "[topology]") {
  const Cluster cluster =
      cluster_of(100, direct_node(), fabric(FabricLayout::SingleSwitch, 4, 100_Gbit_per_s));
  CHECK(names(cluster, cluster.route(0, 8 * 99)) ==
        Names{"node0/gpu0>socket0", "node0/socket0>nic0", "node0/nic0>switch", "switch>node99/nic0",
              "node99/nic0>socket0", "node99/socket0>gpu0"});
}

TEST_CASE("one node has no network", "[topology]") {
  const Cluster cluster = cluster_of(1, nvswitch_node());
  for (const Link& link : cluster.links()) {
    CHECK(link.kind != LinkKind::Nic);
    CHECK(link.kind != LinkKind::Network);
  }
  CHECK(cluster.nics_of(0).empty());
}

TEST_CASE("GPUs share out the NICs that are nearest to them", "[topology]") {
  const auto nics = [](const NodeSpec& node, int count) {
    const Cluster cluster =
        cluster_of(2, node, fabric(FabricLayout::FatTree, count, 100_Gbit_per_s));
    std::vector<std::vector<int>> found(static_cast<std::size_t>(cluster.gpus_per_node()));
    for (std::size_t gpu = 0; gpu < found.size(); ++gpu) {
      found[gpu] = cluster.nics_of(static_cast<GpuId>(gpu));
    }
    return found;
  };
  using Nics = std::vector<std::vector<int>>;
  CHECK(nics(nvswitch_node(), 8) == Nics{{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}});
  CHECK(nics(nvswitch_node(), 4) == Nics{{0}, {0}, {1}, {1}, {2}, {2}, {3}, {3}});
  // NIC 1 hangs on the second socket's first PCIe switch
  CHECK(nics(nvswitch_node(), 2) == Nics{{0}, {0}, {0}, {0}, {1}, {1}, {1}, {1}});
  CHECK(nics(nvswitch_node(), 1) == Nics{{0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}});
  CHECK(nics(direct_node(), 16) ==
        Nics{{0, 1}, {2, 3}, {4, 5}, {6, 7}, {8, 9}, {10, 11}, {12, 13}, {14, 15}});
  // four GPUs to each two NICs
  CHECK(nics(pcie_node(), 4) == Nics{{0}, {0}, {1}, {1}, {2}, {2}, {3}, {3}});
  CHECK(nics(mesh_node(), 4) == Nics{{0}, {1}, {2}, {3}});
}

TEST_CASE("offload goes to the memory of the GPU's own socket", "[topology]") {
  const Cluster cluster = cluster_of(2, nvswitch_node());
  CHECK(names(cluster, cluster.host_route(8 + 5, true)) ==
        Names{"node1/gpu5>pcie2", "node1/pcie2>socket1", "node1/socket1>memory1"});
  CHECK(names(cluster, cluster.host_route(0, false)) ==
        Names{"node0/memory0>socket0", "node0/socket0>pcie0", "node0/pcie0>gpu0"});
  // 320 GB/s over two sockets
  CHECK(link_named(cluster, "node0/memory0>socket0").bandwidth == 160_GB_per_s);
}

TEST_CASE("a node used in part keeps its NICs and its wiring", "[topology]") {
  const Cluster cluster({.node = nvswitch_node(),
                         .nodes = 2,
                         .gpus_per_node = 4,
                         .fabric = rails(),
                         .faults = {},
                         .background = {}});
  CHECK(cluster.num_gpus() == 8);
  CHECK(cluster.node_of(4) == 1);
  CHECK(names(cluster, cluster.route(3, 4)).back() == "node1/pcie0>gpu0");
  CHECK(link_named(cluster, "node1/nic7>leaf7").bandwidth == 24_GB_per_s);
  CHECK(cluster.nics_of(3) == std::vector<int>{3});
}

TEST_CASE("every route is an unbroken path that crosses no link twice", "[topology]") {
  const NodeSpec node =
      GENERATE(values({nvswitch_node(), direct_node(), pcie_node(), mesh_node()}));
  const auto layout =
      GENERATE(FabricLayout::RailOptimized, FabricLayout::FatTree, FabricLayout::SingleSwitch);
  const int nics = GENERATE(1, 3, 8, 32);
  FabricSpec network = fabric(layout, nics, 100_Gbit_per_s);
  network.nodes_per_leaf = 2;
  const Cluster cluster = cluster_of(3, node, network);
  for (GpuId from = 0; from < cluster.num_gpus(); ++from) {
    for (GpuId to = 0; to < cluster.num_gpus(); ++to) {
      const std::vector<LinkId> route = cluster.route(from, to);
      require_path(cluster, from, to, route);
      REQUIRE(std::set<LinkId>(route.begin(), route.end()).size() == route.size());
    }
  }
}

TEST_CASE("alike links are equally wide", "[topology]") {
  FabricSpec network = rails();
  network.nodes_per_leaf = 3;  // the second pod is not full
  const Cluster cluster = cluster_of(4, nvswitch_node(), network);
  // "node3/gpu1>nvswitch" -> "node/gpu>nvswitch"
  std::map<std::string, std::set<BytesPerSecond>> bandwidths;
  for (const Link& link : cluster.links()) {
    std::string kind = link.name;
    kind.erase(
        std::remove_if(kind.begin(), kind.end(), [](char c) { return c >= '0' && c <= '9'; }),
        kind.end());
    bandwidths[kind].insert(link.bandwidth);
  }
  // GPU to NVSwitch and to PCIe switch, PCIe switch to NIC and to socket, socket to memory, NIC to
  // leaf, leaf to spine, in both directions; and socket to socket.
  CHECK(bandwidths.size() == 2 * 7 + 1);
  for (const auto& [kind, widths] : bandwidths) {
    INFO(kind);
    CHECK(widths.size() == 1);
  }
}

TEST_CASE("links carry names of their own, both directions of a cable side by side", "[topology]") {
  const Cluster cluster = cluster_of(3, nvswitch_node());
  std::set<std::string> names_seen;
  for (const Link& link : cluster.links()) names_seen.insert(link.name);
  CHECK(names_seen.size() == cluster.links().size());
  // Cables a node: 8 to NVSwitches, 8 of GPUs, 8 of NICs, 4 from PCIe switches, 1 between sockets,
  // 2 to memory, 8 to leaves; and 8 from leaves to the spine.
  CHECK(cluster.links().size() == 2 * (3 * (8 + 8 + 8 + 4 + 1 + 2 + 8) + 8));
}
