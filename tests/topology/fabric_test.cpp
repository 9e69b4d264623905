#include <catch2/catch.hpp>
#include <set>

#include "base/input_error.h"
#include "tests/topology/small_clusters.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

std::vector<std::string> between(const Cluster& cluster, int from, int to, int nic = 0) {
  return names(cluster, cluster.between_nics(from, nic, to, nic));
}

FabricSpec tree_of_three_levels() {
  FabricSpec network = fabric(FabricLayout::FatTree, 4, 200_Gbit_per_s);
  network.nodes_per_leaf = 2;
  network.leaves_per_pod = 2;
  network.oversubscription = 2;
  network.pod_oversubscription = 4;
  return network;
}

}  // namespace

TEST_CASE("a three-level fat tree: leaf, pod and core, each with its oversubscription",
          "[topology]") {
  const Cluster cluster = cluster_of(8, nvswitch_node(), tree_of_three_levels());
  CHECK(between(cluster, 0, 1).empty());
  CHECK(between(cluster, 0, 2) == std::vector<std::string>{"leaf0>pod0.spine", "pod0.spine>leaf1"});
  CHECK(between(cluster, 0, 7) == std::vector<std::string>{"leaf0>pod0.spine", "pod0.spine>core",
                                                           "core>pod1.spine", "pod1.spine>leaf3"});
  // 2 nodes x 4 NICs x 24 GB/s / 2; two such leaves / 4.
  CHECK(link_named(cluster, "leaf0>pod0.spine").bandwidth == 96_GB_per_s);
  CHECK(link_named(cluster, "pod0.spine>core").bandwidth == 48_GB_per_s);
}

TEST_CASE("a dragonfly takes the group's gateway and one cable between groups", "[topology]") {
  FabricSpec network = fabric(FabricLayout::Dragonfly, 1, 200_Gbit_per_s);
  network.nodes_per_leaf = 2;
  network.routers_per_group = 3;
  const Cluster cluster = cluster_of(18, nvswitch_node(), network);  // three groups of six nodes
  CHECK(between(cluster, 0, 1).empty());
  CHECK(between(cluster, 0, 5) == std::vector<std::string>{"group0.router0>group0.router2"});
  // Group 0 keeps its cable to group 1 on router 0, that to group 2 on router 1; group 2 that to
  // group 0 on router 0.
  CHECK(between(cluster, 4, 17) == std::vector<std::string>{"group0.router2>group0.router1",
                                                            "group0.router1>group2.router0",
                                                            "group2.router0>group2.router2"});
  // A router's NICs carry 48 GB/s: twice that over two cables to its group, and as much as the
  // three routers' NICs over the group's two cables to others.
  CHECK(link_named(cluster, "group0.router0>group0.router2").bandwidth == 48_GB_per_s);
  CHECK(link_named(cluster, "group0.router1>group2.router0").bandwidth == 72_GB_per_s);
}

TEST_CASE("a torus goes dimension by dimension, the shorter way round", "[topology]") {
  FabricSpec network = fabric(FabricLayout::Torus, 2, 200_Gbit_per_s);
  network.torus_dimensions = {4, 2};
  const Cluster cluster = cluster_of(8, nvswitch_node(), network);
  CHECK(between(cluster, 0, 3) == std::vector<std::string>{"router0>router3"});
  CHECK(between(cluster, 3, 0) == std::vector<std::string>{"router3>router0"});
  CHECK(between(cluster, 1, 6) == std::vector<std::string>{"router1>router2", "router2>router6"});
  CHECK(between(cluster, 6, 1) == std::vector<std::string>{"router6>router5", "router5>router1"});
  CHECK(link_named(cluster, "router0>router1").bandwidth == 48_GB_per_s);
}

TEST_CASE("a torus has a place for every node", "[topology]") {
  FabricSpec network = fabric(FabricLayout::Torus, 2, 200_Gbit_per_s);
  network.torus_dimensions = {4, 2};
  CHECK_THROWS_WITH(cluster_of(9, nvswitch_node(), network),
                    Catch::Contains("9 nodes have no place in a torus of 4 x 2"));
}

TEST_CASE("equal paths: the hash of seed and ends pins a flow to one spine", "[topology]") {
  FabricSpec network = fabric(FabricLayout::FatTree, 4, 200_Gbit_per_s);
  network.nodes_per_leaf = 2;
  network.equal_cost_paths = 4;
  std::set<std::vector<std::string>> by_seed;
  for (std::uint64_t seed = 0; seed < 16; ++seed) {
    const Cluster cluster({.node = nvswitch_node(),
                           .nodes = 4,
                           .gpus_per_node = 0,
                           .fabric = network,
                           .faults = {},
                           .background = {},
                           .seed = seed});
    const std::vector<std::string> path = between(cluster, 0, 2);
    REQUIRE(path.size() == 2);
    CHECK(path == between(cluster, 0, 2));  // the same ends, the same path
    CHECK(path[0].substr(0, 11) == "leaf0>spine");
    CHECK(path[1].substr(0, 5) == "spine");
    CHECK(path[0].substr(6) == path[1].substr(0, path[1].find('>')));  // up and down in one plane
    by_seed.insert(path);
    // Uplink 2 nodes x 4 NICs x 24 GB/s over four spines.
    CHECK(link_named(cluster, "leaf0>spine3").bandwidth == 48_GB_per_s);
  }
  CHECK(by_seed.size() > 1);
}

TEST_CASE("property: on every fabric all NICs reach each other by links that join", "[topology]") {
  FabricSpec network =
      GENERATE(fabric(FabricLayout::RailOptimized, 2, 200_Gbit_per_s), tree_of_three_levels(),
               fabric(FabricLayout::SingleSwitch, 2, 200_Gbit_per_s),
               fabric(FabricLayout::Dragonfly, 2, 200_Gbit_per_s),
               fabric(FabricLayout::Torus, 2, 200_Gbit_per_s));
  network.nodes_per_leaf = 2;
  network.routers_per_group = 2;
  network.torus_dimensions = {3, 2, 2};
  const Cluster cluster = cluster_of(11, nvswitch_node(), network);
  for (GpuId from = 0; from < cluster.num_gpus(); from += 3) {
    for (GpuId to = 0; to < cluster.num_gpus(); to += 5) {
      if (cluster.node_of(from) == cluster.node_of(to)) continue;
      const std::vector<LinkId> route = cluster.route(from, to);
      for (std::size_t i = 1; i < route.size(); ++i) {
        REQUIRE(cluster.links()[static_cast<std::size_t>(route[i - 1])].to ==
                cluster.links()[static_cast<std::size_t>(route[i])].from);
      }
    }
  }
}
