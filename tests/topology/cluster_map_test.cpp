#include "topology/cluster_map.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tests/topology/small_clusters.h"

namespace stepcast {
namespace {

using test::fabric;
using test::nvswitch_node;

ClusterSpec rails(int nodes) {
  ClusterSpec spec;
  spec.node = nvswitch_node();
  spec.nodes = nodes;
  spec.fabric = fabric(FabricLayout::RailOptimized, 4, 25_GB_per_s);
  return spec;
}

std::size_t links_in(const ClusterMap& map) {
  std::set<LinkId> all;
  std::size_t count = 0;
  for (const MapLink& link : map.links) {
    all.insert(link.links.begin(), link.links.end());
    count += link.links.size();
  }
  REQUIRE(all.size() == count);  // none is drawn twice
  return count;
}

const MapDevice& named(const ClusterMap& map, const std::string& name) {
  const auto found = std::find_if(map.devices.begin(), map.devices.end(),
                                  [&](const MapDevice& device) { return device.name == name; });
  REQUIRE(found != map.devices.end());
  return *found;
}

int devices_in(const ClusterMap& map) {
  int count = 0;
  for (const MapDevice& device : map.devices) count += device.alike;
  return count;
}

}  // namespace

TEST_CASE("the devices of a cluster are numbered as the ends of its links are", "[topology]") {
  const Cluster cluster(rails(2));
  const std::vector<ClusterDevice> devices = cluster.devices();
  for (const Link& link : cluster.links()) {
    const std::string& from = devices[static_cast<std::size_t>(link.from)].name;
    CHECK_THAT(link.name, Catch::StartsWith(from + ">"));
  }
  // 8 GPUs, an NVSwitch, 4 PCIe switches, 2 sockets with a memory each, 4 NICs; a leaf for each
  // rail and no spine above a single group of nodes, or one.
  const auto switches = std::count_if(devices.begin(), devices.end(), [](const ClusterDevice& one) {
    return one.kind == DeviceKind::NetworkSwitch;
  });
  CHECK(devices.size() - static_cast<std::size_t>(switches) == 2 * 21);
  CHECK(devices[9].kind != DeviceKind::Gpu);
  CHECK(devices[1].gpu == 1);
  CHECK(devices[22].gpu == 9);
}

TEST_CASE("a node's map holds its parts, its NICs' switches, and each of its links once",
          "[topology]") {
  const Cluster cluster(rails(2));
  const ClusterMap map = map_of_node(cluster, 1);
  CHECK(named(map, "node1/gpu7").kind == DeviceKind::Gpu);
  CHECK(map.devices.size() == 21 + 4);
  const auto of_node =
      std::count_if(cluster.links().begin(), cluster.links().end(),
                    [](const Link& link) { return link.name.find("node1/") != std::string::npos; });
  CHECK(links_in(map) == static_cast<std::size_t>(of_node));
}

TEST_CASE("a network's map holds nodes and switches, and each link between them once",
          "[topology]") {
  const Cluster cluster(rails(3));
  const ClusterMap map = map_of_network(cluster);
  CHECK_FALSE(named(map, "node2").kind);
  const auto outside =
      std::count_if(cluster.links().begin(), cluster.links().end(), [](const Link& link) {
        return link.kind == LinkKind::Nic || link.kind == LinkKind::Network;
      });
  CHECK(links_in(map) == static_cast<std::size_t>(outside));
}

TEST_CASE("folding puts alike devices together and loses neither devices nor links", "[topology]") {
  const Cluster cluster(rails(4));
  const ClusterMap map = map_of_network(cluster);
  const ClusterMap small = folded(map);
  CHECK(named(small, "node0").alike == 4);
  CHECK(named(small, "leaf0").alike == 4);
  CHECK(devices_in(small) == devices_in(map));
  CHECK(links_in(small) == links_in(map));
}

TEST_CASE("a slow link or GPU is drawn apart from the sound ones", "[topology]") {
  ClusterSpec spec = rails(4);
  spec.faults.push_back({-1, 1.0, "node2/nic0", 10_GB_per_s});
  spec.faults.push_back({8, 0.5, "", {}});  // the first GPU of node 1
  const ClusterMap small = folded(map_of_network(Cluster(spec)));
  CHECK(named(small, "node0").alike == 2);
  CHECK(named(small, "node1").alike == 1);
  CHECK(named(small, "node1").rate == 0.5);
  CHECK(named(small, "node2").alike == 1);
  CHECK(named(small, "leaf0").alike == 1);  // node 2's NIC 0 hangs on it
  CHECK(named(small, "leaf1").alike == 3);
}

TEST_CASE("a thousand nodes are drawn as few", "[topology]") {
  const ClusterMap map = map_of_network(Cluster(rails(1024)));
  CHECK(map.devices.size() < 10);
  CHECK(named(map, "node0").alike == 1024);
}

}  // namespace stepcast
