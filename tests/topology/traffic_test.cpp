#include <catch2/catch.hpp>
#include <numeric>

#include "tests/topology/small_clusters.h"
#include "topology/group_layout.h"
#include "topology/tree_traffic.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

std::vector<GpuId> all_gpus(const Cluster& cluster) {
  std::vector<GpuId> gpus(static_cast<std::size_t>(cluster.num_gpus()));
  std::iota(gpus.begin(), gpus.end(), 0);
  return gpus;
}

/// What a link carries of one member's message.
double share(const Cluster& cluster, const Traffic& traffic, const std::string& link) {
  for (const WeightedLink& use : traffic.links) {
    if (cluster.links()[static_cast<std::size_t>(use.link)].name == link) {
      return use.weight / traffic.units;
    }
  }
  return 0;
}

Traffic traffic_on(const Cluster& cluster, TrafficKind kind) {
  return layout_group(cluster, all_gpus(cluster)).of(kind);
}

NodeSpec hopper_node() {
  NodeSpec node = direct_node();
  node.gpu.architecture = GpuArchitecture::Hopper;
  return node;
}

}  // namespace

TEST_CASE("tree 0 is the tree of bit patterns, as NCCL prints it", "[topology]") {
  // Trees [0] of 8 nodes: 4 under 0; 2 and 6 under 4; 1, 3 under 2; 5, 7 under 6.
  const std::vector<int> parents{-1, 2, 4, 2, 0, 6, 4, 6};
  // Tree 1 is its mirror: node 0 is a leaf under 1, as NCCL's log of 8 nodes says.
  const std::vector<int> mirrored{1, 3, 1, 7, 5, 3, 5, -1};
  for (int node = 0; node < 8; ++node) {
    CHECK(tree_parent(0, node, 8) == parents[static_cast<std::size_t>(node)]);
    CHECK(tree_parent(1, node, 8) == mirrored[static_cast<std::size_t>(node)]);
  }
}

TEST_CASE("property: both trees span the nodes, and degrees count their edges", "[topology]") {
  const int nodes = GENERATE(1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 31, 32, 33, 100);
  std::vector<int> edges(static_cast<std::size_t>(nodes), 0);
  for (const int tree : {0, 1}) {
    int roots = 0;
    for (int node = 0; node < nodes; ++node) {
      const int parent = tree_parent(tree, node, nodes);
      if (parent < 0) {
        ++roots;
        continue;
      }
      ++edges[static_cast<std::size_t>(node)];
      ++edges[static_cast<std::size_t>(parent)];
      int steps = 0;  // no cycles: the root is near
      for (int at = node; at >= 0 && steps <= nodes; at = tree_parent(tree, at, nodes)) ++steps;
      REQUIRE(steps <= nodes);
    }
    REQUIRE(roots == 1);
  }
  for (int node = 0; node < nodes; ++node) {
    REQUIRE(tree_degree(node, nodes) == edges[static_cast<std::size_t>(node)]);
  }
  CHECK(std::accumulate(edges.begin(), edges.end(), 0) == 4 * (nodes - 1));
}

TEST_CASE("a tree over two nodes: each NIC carries its share once each way", "[topology]") {
  const Cluster cluster = cluster_of(2, nvswitch_node());
  const Traffic tree = traffic_on(cluster, TrafficKind::Tree);
  CHECK(share(cluster, tree, "node0/nic3>leaf3") == 1.0 / 8);
  CHECK(share(cluster, tree, "leaf3>node1/nic3") == 1.0 / 8);
  // A chain of 8 GPUs: the NIC's owner and the last send to one neighbour, the others to two.
  CHECK(share(cluster, tree, "node0/gpu5>nvswitch") == (6 * 2 + 2 * 1) / 8.0);
}

TEST_CASE("a tree over four nodes: inner nodes carry twice what the ends do", "[topology]") {
  const Cluster cluster = cluster_of(4, nvswitch_node());
  const Traffic tree = traffic_on(cluster, TrafficKind::Tree);
  // Degrees 2, 4, 4, 2 of half a share.
  CHECK(share(cluster, tree, "node0/nic0>leaf0") == 1.0 / 8);
  CHECK(share(cluster, tree, "node1/nic0>leaf0") == 2.0 / 8);
  CHECK(share(cluster, tree, "leaf0>node2/nic0") == 2.0 / 8);
  CHECK(share(cluster, tree, "leaf0>node3/nic0") == 1.0 / 8);
}

TEST_CASE("all-to-all inside a node: a seventh share to every other", "[topology]") {
  const Cluster cluster = cluster_of(1, nvswitch_node());
  const Traffic traffic = traffic_on(cluster, TrafficKind::AllToAll);
  CHECK(share(cluster, traffic, "node0/gpu2>nvswitch") == 7.0 / 8);
  CHECK(share(cluster, traffic, "node0/nvswitch>gpu2") == 7.0 / 8);
}

TEST_CASE("all-to-all over rails stays on them: PXN", "[topology]") {
  FabricSpec network = rails();
  network.nodes_per_leaf = 2;
  const Cluster cluster = cluster_of(2, direct_node(), network);
  const Traffic traffic = traffic_on(cluster, TrafficKind::AllToAll);
  // (n - ppn) / n of every member's message leaves through one NIC each.
  CHECK(share(cluster, traffic, "node0/nic3>leaf3") == 8.0 / 16);
  CHECK(share(cluster, traffic, "leaf3>node1/nic3") == 8.0 / 16);
  // By NVLink: 7 messages for the node's own, 7 for the other rails' owners.
  CHECK(share(cluster, traffic, "node0/gpu3>nvswitch") == 14.0 / 16);
  for (const WeightedLink& use : traffic.links) {
    CHECK(cluster.links()[static_cast<std::size_t>(use.link)].kind != LinkKind::Network);
  }
}

TEST_CASE("all-to-all without NVLink crosses the rails", "[topology]") {
  FabricSpec network = rails();
  const Cluster cluster = cluster_of(2, pcie_node(), network);
  const Traffic traffic = traffic_on(cluster, TrafficKind::AllToAll);
  CHECK(share(cluster, traffic, "node0/nic3>leaf3") == 8.0 / 16);
  // Of 8 messages by NIC 3 of each of two nodes, one goes to NIC 3 of the other.
  CHECK(share(cluster, traffic, "leaf3>spine") == 2 * 7.0 / 16);
}

TEST_CASE("property: an all-to-all's NICs carry what leaves the nodes", "[topology]") {
  const NodeSpec node =
      GENERATE(values({nvswitch_node(), direct_node(), pcie_node(), mesh_node()}));
  const int nics = GENERATE(1, 2, 4, 8, 16);
  const int nodes = GENERATE(2, 3, 5);
  const Cluster cluster =
      cluster_of(nodes, node, fabric(FabricLayout::RailOptimized, nics, 200_Gbit_per_s));
  const Traffic traffic = traffic_on(cluster, TrafficKind::AllToAll);
  double on_nics = 0;
  for (const WeightedLink& use : traffic.links) {
    if (cluster.links()[static_cast<std::size_t>(use.link)].kind != LinkKind::Nic) continue;
    on_nics += use.weight / traffic.units;
  }
  // n members send (n - ppn) / n of a message to other nodes, once out and once in.
  const double ranks = cluster.num_gpus();
  CHECK(on_nics == Approx(2 * (ranks - node.gpus)));
}

TEST_CASE("switches that reduce: NVLinks carry (n + 1) / n of the message", "[topology]") {
  const Cluster one = cluster_of(1, hopper_node());
  CHECK(share(one, traffic_on(one, TrafficKind::Nvls), "node0/gpu2>nvswitch") == 9.0 / 8);
  const Cluster two = cluster_of(2, hopper_node());
  const Traffic tree = traffic_on(two, TrafficKind::NvlsTree);
  CHECK(share(two, tree, "node1/nvswitch>gpu2") == 9.0 / 8);
  CHECK(share(two, tree, "node0/nic2>leaf2") == 1.0 / 8);
  CHECK(traffic_on(two, TrafficKind::Nvls).links.empty());
  CHECK(traffic_on(two, TrafficKind::CollNet).links.empty());
}

TEST_CASE("a network that reduces carries a share once, whatever the nodes", "[topology]") {
  FabricSpec network = rails();
  network.nodes_per_leaf = 2;
  network.sharp = true;
  const Cluster cluster = cluster_of(6, hopper_node(), network);
  const Traffic collnet = traffic_on(cluster, TrafficKind::CollNet);
  CHECK(share(cluster, collnet, "node5/nic2>leaf18") == 1.0 / 8);
  CHECK(share(cluster, collnet, "leaf18>spine") == 1.0 / 8);
  CHECK(share(cluster, collnet, "spine>leaf2") == 1.0 / 8);
  // To 7 heads what they gather, and back to 7 others what it gathered itself.
  CHECK(share(cluster, collnet, "node5/gpu2>nvswitch") == 14.0 / 8);
  const Traffic nvls = traffic_on(cluster, TrafficKind::Nvls);
  CHECK(share(cluster, nvls, "node5/nic2>leaf18") == 1.0 / 8);
  CHECK(share(cluster, nvls, "node5/gpu2>nvswitch") == 9.0 / 8);
}
