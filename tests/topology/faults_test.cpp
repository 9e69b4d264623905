#include <catch2/catch.hpp>

#include "base/input_error.h"
#include "tests/topology/small_clusters.h"
#include "topology/group_layout.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

Cluster with_faults(std::vector<Fault> faults) {
  return Cluster({.node = nvswitch_node(),
                  .nodes = 2,
                  .gpus_per_node = 0,
                  .fabric = rails(),
                  .faults = std::move(faults),
                  .background = {}});
}

Fault slow_link(std::string link, BytesPerSecond bandwidth) {
  Fault fault;
  fault.link = std::move(link);
  fault.bandwidth = bandwidth;
  return fault;
}

Fault slow_gpu(int gpu, double rate) {
  Fault fault;
  fault.gpu = gpu;
  fault.rate = rate;
  return fault;
}

}  // namespace

TEST_CASE("a slow GPU is slower by its rate, the others are not", "[topology]") {
  const Cluster cluster = with_faults({slow_gpu(9, 0.5), slow_gpu(9, 0.5)});
  CHECK(cluster.gpu_rate(9) == 0.25);
  CHECK(cluster.gpu_rate(8) == 1.0);
}

TEST_CASE("a fault of a link narrows that direction only", "[topology]") {
  const Cluster cluster = with_faults({slow_link("node1/gpu3>nvswitch", 60_GB_per_s)});
  CHECK(link_named(cluster, "node1/gpu3>nvswitch").bandwidth == 60_GB_per_s);
  CHECK(link_named(cluster, "node1/nvswitch>gpu3").bandwidth == 240_GB_per_s);
  CHECK(link_named(cluster, "node0/gpu3>nvswitch").bandwidth == 240_GB_per_s);
}

TEST_CASE("a fault of a NIC narrows both directions of its network cable", "[topology]") {
  const Cluster cluster = with_faults({slow_link("node1/nic2", 6_GB_per_s)});
  CHECK(link_named(cluster, "node1/nic2>leaf2").bandwidth == 6_GB_per_s);
  CHECK(link_named(cluster, "leaf2>node1/nic2").bandwidth == 6_GB_per_s);
  CHECK(link_named(cluster, "node1/nic2>pcie1").bandwidth == 24_GB_per_s);
  CHECK(link_named(cluster, "leaf2>node0/nic2").bandwidth == 24_GB_per_s);
  const std::vector<GpuId> pair{2, 10};
  CHECK(layout_group(cluster, pair).of(TrafficKind::Ring).pace == 6_GB_per_s);
}

TEST_CASE("a fault of a GPU that is not there says how GPUs are numbered", "[topology]") {
  REQUIRE_THROWS_WITH(with_faults({slow_gpu(1, 0.5), slow_gpu(16, 0.5)}),
                      "at /faults/1/gpu: the cluster has no GPU 16\n"
                      "  2 nodes x 8 GPUs\n"
                      "  hint: GPUs are numbered from 0 to 15");
}

TEST_CASE("a fault of a link that is not there names near ones", "[topology]") {
  REQUIRE_THROWS_WITH(with_faults({slow_link("node1/gpu3>nvswtch", 1_GB_per_s)}),
                      Catch::StartsWith("at /faults/0/link: no link is named "
                                        "\"node1/gpu3>nvswtch\"\n  hint: did you mean ") &&
                          Catch::Contains("\"node1/gpu3>nvswitch\""));
}

TEST_CASE("a fault that would widen a link is refused", "[topology]") {
  REQUIRE_THROWS_WITH(with_faults({slow_link("node0/nic0>leaf0", 25_GB_per_s)}),
                      "at /faults/0/bandwidth: a fault leaves node0/nic0>leaf0 25 GB/s, "
                      "more than it had\n"
                      "  without the fault it has 24 GB/s");
}

TEST_CASE("a link is left with some bandwidth", "[topology]") {
  REQUIRE_THROWS_WITH(
      with_faults({slow_link("node0/nic0>leaf0", 0_GB_per_s)}),
      "at /faults/0/bandwidth: node0/nic0>leaf0 is left with no bandwidth: nothing would ever "
      "arrive\n"
      "  hint: leave it some, or leave its node out of the cluster");
}

TEST_CASE("a fault of nothing is refused", "[topology]") {
  REQUIRE_THROWS_WITH(with_faults({Fault{}}),
                      "at /faults/0: the fault names neither a gpu nor a link");
}
