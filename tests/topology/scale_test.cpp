#include <catch2/catch.hpp>
#include <numeric>

#include "tests/topology/small_clusters.h"
#include "topology/group_layout.h"

using namespace stepcast;
using namespace stepcast::test;

TEST_CASE("12,800 nodes of 8 GPUs are built, routed and grouped", "[topology][slow]") {
  const Cluster cluster = cluster_of(12800, nvswitch_node());
  REQUIRE(cluster.num_gpus() == 102400);
  // 39 cables a node (see cluster_test), 400 pods of 8 leaves
  REQUIRE(cluster.links().size() == 2 * (12800 * 39 + 400 * 8));

  std::size_t links_crossed = 0;
  for (GpuId gpu = 0; gpu < cluster.num_gpus(); ++gpu) {
    links_crossed += cluster.route(gpu, (gpu + 8) % cluster.num_gpus()).size();
  }
  // On rails each message takes 6 links, and 2 more from pod to pod (one node in 32).
  REQUIRE(links_crossed == 102400 * 6 + 102400 / 32 * 2);

  std::vector<GpuId> all(102400);
  std::iota(all.begin(), all.end(), 0);
  const GroupLayout world = layout_group(cluster, all, false);
  REQUIRE(world.ring.count == 8);
  REQUIRE(world.of(TrafficKind::Ring).pace == 24_GB_per_s);
}

TEST_CASE("12,800 groups of one node each are laid out", "[topology][slow]") {
  const Cluster cluster = cluster_of(12800, nvswitch_node());
  for (GpuId first = 0; first < cluster.num_gpus(); first += 8) {
    std::vector<GpuId> node(8);
    std::iota(node.begin(), node.end(), first);
    REQUIRE(layout_group(cluster, node).of(TrafficKind::Ring).pace == 240_GB_per_s);
  }
}
