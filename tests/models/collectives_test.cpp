#include "models/collectives.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>

#include "models/nccl_tuner.h"
#include "tests/models/group_layouts.h"

namespace stepcast {

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

TEST_CASE("all-reduce on one DGX A100, NCCL 2.10, worked by hand", "[models]") {
  const NetworkProfile nccl = plain_nccl("2.10");
  // 12 rings of 20 GB/s, capped at 235 in all; 8 ranks make 14 steps, so bus / 1.75 of the message.
  // LL:     3.6 + 14 * 0.47 + 1048576 / (235000 / 4 / 1.75)    = 10.18 + 31.235
  CHECK_THAT(all_reduce_us(1_MiB, dgx_a100(), nccl), WithinAbs(41.415, 1e-3));
  // LL128:  10 + 14 * 1.9 + 16777216 / (0.92 * 235000 / 1.75)  = 36.6 + 135.801
  CHECK_THAT(all_reduce_us(16_MiB, dgx_a100(), nccl), WithinAbs(172.401, 1e-3));
  // Simple: 8.4 + 14 * 3.4 + 268435456 / (235000 / 1.75)       = 56 + 1998.987
  CHECK_THAT(all_reduce_us(256_MiB, dgx_a100(), nccl), WithinAbs(2054.987, 1e-3));
  // Simple: 56 + 1073741824 / (235000 / 1.75)                  = 56 + 7995.950
  CHECK_THAT(all_reduce_us(1_GiB, dgx_a100(), nccl), WithinAbs(8051.950, 1e-3));
}

TEST_CASE("all-reduce on two DGX A100, NCCL 2.18, worked by hand", "[models]") {
  const NetworkProfile nccl = plain_nccl("2.18");
  const GroupLayout layout = dgx_a100_hdr(2);
  // Trees: 8 channels of 30 GB/s; 0.92 * 240 = 220.8, the caps 8 * 23.6 = 188.8 and LL128 8 * 20 =
  // 160 hold, half of it of the message.
  // 1 MiB, tree LL128:   14 + 2 (7 * 1.25 + 8.5) + 1048576 / (80000 * 0.6) = 48.5 + 21.845
  CHECK_THAT(all_reduce_us(1_MiB, layout, nccl), WithinAbs(70.345, 1e-3));
  // 16 ranks make 30 steps, 4 of them over the network; hops inside wait 2 us for the proxy.
  // 16 MiB, ring LL128:  14 + 26 * 2 + 4 * 4 + 16777216 / (160000 / 1.875) = 82 + 196.608
  CHECK_THAT(all_reduce_us(16_MiB, layout, nccl), WithinAbs(278.608, 1e-3));
  // 256 MiB, ring Simple: (8.4 + 26 * 6 + 4 * 14) * 1.9 + 268435456 / (192000 / 1.875)
  //                       = 418.76 + 2621.440
  CHECK_THAT(all_reduce_us(256_MiB, layout, nccl), WithinAbs(3040.200, 1e-3));
  CHECK_THAT(all_reduce_us(1_GiB, layout, nccl), WithinAbs(10904.520, 1e-3));
}

TEST_CASE("all-reduce on four DGX A100, NCCL 2.18, worked by hand", "[models]") {
  const NetworkProfile nccl = plain_nccl("2.18");
  const GroupLayout layout = dgx_a100_hdr(4);
  // 1 MiB, tree LL128: 14 + 2 (7 * 1.25 + 2 * 8.5) + 1048576 / (min(0.92 * 192, 8 * 17.8) * 120 /
  // 128 / 2 * 0.6 = 40.05 GB/s)                                          = 65.5 + 26.182
  CHECK_THAT(all_reduce_us(1_MiB, layout, nccl), WithinAbs(91.682, 1e-3));
  // 1 GiB, ring Simple: 62 steps, 8 over the network:
  // (8.4 + 54 * 6 + 8 * 14) * 1.9 + 1073741824 / (192000 * 32 / 62)      = 844.36 + 10835.285
  CHECK_THAT(all_reduce_us(1_GiB, layout, nccl), WithinAbs(11679.645, 1e-3));
  // 16 and 256 MiB as in the table that the model's constants came with.
  CHECK_THAT(all_reduce_us(16_MiB, layout, nccl), WithinAbs(345, 0.5));
  CHECK_THAT(all_reduce_us(256_MiB, layout, nccl), WithinAbs(3405, 0.5));
}

TEST_CASE("all-reduce on two p4d over EFA, NCCL 2.27, worked by hand", "[models]") {
  NetworkProfile nccl = plain_nccl("2.27");
  nccl.ll128 = false;
  const GroupLayout layout = p4d_efa(2);
  // 1 MiB, ring LL: half of the bus is 24 GB/s, but the host's proxy copies 22.5; 30 steps, 2 of
  // them over the network: 6.6 + 28 * 2 + 2 * 77.7 + 1048576 / (22500 / 1.875) = 218 + 87.381
  CHECK_THAT(all_reduce_us(1_MiB, layout, nccl), WithinAbs(305.381, 1e-3));
  // Trees: 4 channels of 24 GB/s (twice the NICs'); 0.92 * 96 = 88.32, half of it of the message.
  // Simple pays the NIC twice: 8.4 + 2 (7 * 4 + 14 + 150) = 392.4.
  // 16 MiB: table 0.7 at 2^18 * 64 B: 392.4 + 16777216 / (44160 * 0.7)       = 392.4 + 542.741
  CHECK_THAT(all_reduce_us(16_MiB, layout, nccl), WithinAbs(935.141, 1e-3));
  // 256 MiB: table 0.9 at 2^22 * 64 B: 392.4 + 268435456 / (44160 * 0.9)     = 392.4 + 6754.113
  CHECK_THAT(all_reduce_us(256_MiB, layout, nccl), WithinAbs(7146.513, 1e-3));
  // 1 GiB, beyond the table: 392.4 + 1073741824 / 44160                      = 392.4 + 24314.806
  CHECK_THAT(all_reduce_us(1_GiB, layout, nccl), WithinAbs(24707.206, 1e-3));
}

TEST_CASE("all-gather and reduce-scatter are one pass of the ring, worked by hand", "[models]") {
  const CollectiveKind kind = GENERATE(CollectiveKind::AllGather, CollectiveKind::ReduceScatter);
  // 7 steps: 8.4 + 7 * 3.4 + 268435456 / (240000 * 8 / 7) = 32.2 + 978.671
  const CollectiveCandidate large = best(kind, 256_MiB, dgx_a100(), plain_nccl("2.18"));
  CHECK(large.protocol == Protocol::Simple);
  CHECK_THAT(large.time / 1_us, WithinAbs(1010.871, 1e-3));
  // On one node LL reaches a third: 6.6 + 7 * 0.6 + 65536 / (80000 * 8 / 7) = 10.8 + 0.717
  const CollectiveCandidate small = best(kind, 64_KiB, dgx_a100(), plain_nccl("2.18"));
  CHECK(small.protocol == Protocol::LL);
  CHECK_THAT(small.time / 1_us, WithinAbs(11.517, 1e-3));
}

TEST_CASE("one rank a node: older releases give LL128 rings 0.7, from 2.27 on 0.92", "[models]") {
  const GroupLayout layout = rail(GpuArchitecture::Ampere, 8, 24_GB_per_s);
  // All-gather: 7 steps of 4 us after 14; the cap of 20 GB/s a channel holds against 0.92 * 24.
  const auto ll128 = [&](const std::string& version) {
    const auto all =
        collective_candidates(CollectiveKind::AllGather, 4_MiB, layout, plain_nccl(version));
    return *std::find_if(all.begin(), all.end(),
                         [](const auto& c) { return c.protocol == Protocol::LL128; });
  };
  CHECK_THAT(ll128("2.18").algorithm_bandwidth / 1_GB_per_s, WithinRel(0.7 * 24 * 8 / 7, 1e-9));
  CHECK_THAT(ll128("2.18").latency / 1_us, WithinRel(14.0 + 7 * 4.0, 1e-9));
  CHECK_THAT(ll128("2.27").algorithm_bandwidth / 1_GB_per_s, WithinRel(20.0 * 8 / 7, 1e-9));
  CHECK_THAT(ll128("2.27").latency / 1_us, WithinRel(14.0 + 7 * 8.5, 1e-9));  // the tree's hop
}

TEST_CASE("a message takes one hop and the whole rate of its route", "[models]") {
  const NetworkProfile nccl = plain_nccl("2.18");
  const GroupLayout inside = pair(dgx_a100());
  const GroupLayout across = pair(dgx_a100_hdr(2));
  // Simple: 8.4 + 3.4 + 24 MB / 240 GB/s; 8.4 + 14 + 24 MB / 24 GB/s
  const auto time = [&](Bytes message, const GroupLayout& layout) {
    return best(CollectiveKind::SendReceive, message, layout, nccl).time / 1_us;
  };
  CHECK_THAT(time(24_MB, inside), WithinRel(111.8, 1e-9));
  CHECK_THAT(time(24_MB, across), WithinRel(1022.4, 1e-9));
  // LL, a quarter of the rate: 6.6 + 0.6 + 6 kB / 60 GB/s; 6.6 + 2.7 + 6 kB / 6 GB/s
  CHECK_THAT(time(6_kB, inside), WithinRel(7.3, 1e-9));
  CHECK_THAT(time(6_kB, across), WithinRel(10.3, 1e-9));
}

TEST_CASE("all-to-all: what leaves a node goes through its NICs, worked by hand", "[models]") {
  const NetworkProfile nccl = plain_nccl("2.18");
  // One node: 7 peers in one round, 7/8 of the message: 8.4 + 3.4 + 240 MB * 7/8 / 240 GB/s
  const CollectiveCandidate inside = best(CollectiveKind::AllToAll, 240_MB, dgx_a100(), nccl);
  CHECK(inside.algorithm == Algorithm::PointToPoint);
  CHECK_THAT(inside.time / 1_us, WithinRel(11.8 + 875, 1e-9));
  // 4 nodes: 31 peers in 4 rounds; 8 GPUs send 24/32 of 240 MB each through 8 NICs of 24 GB/s:
  // 8.4 + 4 * 14 + 7500
  const CollectiveCandidate across = best(CollectiveKind::AllToAll, 240_MB, dgx_a100_hdr(4), nccl);
  CHECK_THAT(across.time / 1_us, WithinRel(64.4 + 7500, 1e-9));
}

TEST_CASE("broadcast: a pipeline along one ring costs one hop, along rotated rings all",
          "[models]") {
  const NetworkProfile nccl = plain_nccl("2.18");
  // 8.4 + 3.4 + 240 MB / 240 GB/s
  CHECK_THAT(best(CollectiveKind::Broadcast, 240_MB, dgx_a100(), nccl).time / 1_us,
             WithinRel(1011.8, 1e-9));
  // LL128 with 8 rotated rings: 14 + 16 * 4 + 192 MB / (8 * 20 GB/s)      = 78 + 1200
  // Simple: 8.4 + 16 * 14 + 192 MB / 192 GB/s                             = 232.4 + 1000
  CHECK_THAT(best(CollectiveKind::Broadcast, 192_MB, dgx_a100_hdr(2), nccl).time / 1_us,
             WithinRel(1232.4, 1e-9));
}

TEST_CASE("NVLS reduces in the switch: one node from Hopper on, large all-reduce", "[models]") {
  const GroupLayout hopper = one_node(GpuArchitecture::Hopper, 8, 360_GB_per_s);
  const NetworkProfile nccl = plain_nccl("2.27");
  const CollectiveCandidate large = best(CollectiveKind::AllReduce, 1_GB, hopper, nccl);
  CHECK(large.algorithm == Algorithm::Nvls);
  CHECK_THAT(large.time / 1_us, WithinRel(25 + 1e9 / (360e3 * 5 / 6), 1e-9));
  CHECK(best(CollectiveKind::AllReduce, 64_KiB, hopper, nccl).algorithm == Algorithm::Ring);
  // A link carries the message and a reduced eighth of it.
  const Transfer flow = plan_transfer(CollectiveKind::AllReduce, 1_GB, hopper, nccl);
  CHECK(flow.bytes == 1.125_GB);
  CHECK_THAT(alone_time(flow, hopper) / large.time, WithinRel(1.0, 1e-12));

  const auto uses_nvls = [](const GroupLayout& layout, const std::string& version) {
    const auto all =
        collective_candidates(CollectiveKind::AllReduce, 1_GB, layout, plain_nccl(version));
    return std::any_of(all.begin(), all.end(),
                       [](const auto& c) { return c.algorithm == Algorithm::Nvls; });
  };
  CHECK(uses_nvls(hopper, "2.18"));
  CHECK_FALSE(uses_nvls(hopper, "2.10"));
  CHECK_FALSE(uses_nvls(one_node(GpuArchitecture::Hopper, 4, 360_GB_per_s), "2.27"));
  CHECK_FALSE(uses_nvls(dgx_h100_ndr(2), "2.27"));
  CHECK_FALSE(uses_nvls(dgx_a100(), "2.27"));
  CHECK(uses_nvls(dgx_h100_sharp(2), "2.27"));
}

TEST_CASE("LL128 needs NVLink inside and a network that keeps its order", "[models]") {
  const auto uses_ll128 = [](const GroupLayout& layout, bool over_network) {
    NetworkProfile nccl = plain_nccl("2.18");
    nccl.ll128 = over_network;
    const auto all = collective_candidates(CollectiveKind::AllReduce, 1_MB, layout, nccl);
    return std::any_of(all.begin(), all.end(),
                       [](const auto& c) { return c.protocol == Protocol::LL128; });
  };
  CHECK(uses_ll128(dgx_a100(), false));
  CHECK(uses_ll128(dgx_a100_hdr(2), true));
  CHECK_FALSE(uses_ll128(dgx_a100_hdr(2), false));
  CHECK(uses_ll128(rail(GpuArchitecture::Ampere, 4, 24_GB_per_s), true));
  CHECK_FALSE(uses_ll128(pcie_group(4), true));
}

TEST_CASE("NVLSTree: switches inside nodes, trees between heads, worked by hand", "[models]") {
  const NetworkProfile nccl = plain_nccl("2.27");
  const auto time = [&](const GroupLayout& layout, Algorithm algorithm,
                        const std::string& version) {
    NetworkProfile forced = plain_nccl(version);
    forced.nccl.algorithm = algorithm;
    return best(CollectiveKind::AllReduce, 480_MB, layout, forced).time / 1_us;
  };
  // 4 nodes: 25 + 2 * 2 * 14; 8 heads of 48 / 2 GB/s, 5/6 of it: 160 GB/s.
  CHECK_THAT(time(dgx_h100_ndr(4), Algorithm::NvlsTree, "2.27"), WithinRel(81 + 3000.0, 1e-9));
  // 2.18: 23 + 2 * 3 * 19; 192 * 0.7 * 4 / 6 = 89.6 GB/s.
  CHECK_THAT(time(dgx_h100_ndr(4), Algorithm::NvlsTree, "2.18"),
             WithinRel(137 + 480e3 / 89.6, 1e-9));
  // 2 nodes: all of the heads' pace, 384 * 5 / 6 = 320 GB/s. The NVLinks carry 9/8 of the message
  // at 370.8 GB/s: 329.6 GB/s, enough.
  CHECK_THAT(time(dgx_h100_ndr(2), Algorithm::NvlsTree, "2.27"), WithinRel(53 + 1500.0, 1e-9));
  // Not on one node, nor where nothing switches.
  for (const GroupLayout& layout :
       {dgx_a100_hdr(2), one_node(GpuArchitecture::Hopper, 8, 360_GB_per_s)}) {
    for (const CollectiveCandidate& c :
         collective_candidates(CollectiveKind::AllReduce, 1_GB, layout, nccl)) {
      CHECK(c.algorithm != Algorithm::NvlsTree);
    }
  }
}

TEST_CASE("a network that reduces: CollNet direct, worked by hand", "[models]") {
  NetworkProfile nccl = plain_nccl("2.27");
  nccl.nccl.algorithm = Algorithm::CollNetDirect;
  FabricSpec sharp = one_switch(8, 24_GB_per_s);
  sharp.sharp = true;
  const GroupLayout layout =
      group_on(nvswitch_node(GpuArchitecture::Ampere, 240_GB_per_s), 4, sharp);
  // 2 (3.7 + 7 * 0.4) + 31; one GPU for each of 8 channels of 30 GB/s inside: 240 / 2 GB/s.
  const CollectiveCandidate collnet = best(CollectiveKind::AllReduce, 240_MB, layout, nccl);
  CHECK(collnet.algorithm == Algorithm::CollNetDirect);
  CHECK_THAT(collnet.time / 1_us, WithinRel(44 + 2000.0, 1e-9));
  // A NIC carries an eighth of the message once, an NVLink 7/8 of it twice.
  const Traffic& traffic = layout.of(TrafficKind::CollNet);
  CHECK(traffic.units == 8);
  CHECK_THAT(traffic.pace / 1_GB_per_s, WithinRel(240.0 / 14, 1e-9));
}

TEST_CASE("what the scenario forces holds where it can", "[models]") {
  NetworkProfile nccl = plain_nccl("2.18");
  nccl.nccl.algorithm = Algorithm::Tree;
  nccl.nccl.protocol = Protocol::LL;
  const CollectiveCandidate tree = best(CollectiveKind::AllReduce, 1_GB, dgx_a100_hdr(2), nccl);
  CHECK(tree.algorithm == Algorithm::Tree);
  CHECK(tree.protocol == Protocol::LL);
  // An all-gather has rings only; they run the forced protocol.
  const CollectiveCandidate ring = best(CollectiveKind::AllGather, 1_GB, dgx_a100_hdr(2), nccl);
  CHECK(ring.algorithm == Algorithm::Ring);
  CHECK(ring.protocol == Protocol::LL);
  // A forced version: the ring's LL latency of 2.10 is 3.6 + 7 * 0.47.
  nccl.nccl.version = "2.10.3";
  CHECK_THAT(best(CollectiveKind::AllGather, 1_kB, dgx_a100(), nccl).latency / 1_us,
             WithinRel(3.6 + 7 * 0.47, 1e-9));
}

TEST_CASE("few forced channels move what their threads can", "[models]") {
  NetworkProfile nccl = plain_nccl("2.18");
  nccl.nccl.channels = 4;
  // 24 run unless said. 4 channels of 24 GB/s each: 96 GB/s; 8.4 + 7 * 3.4 + 96 MB * 7/8 / 96 GB/s.
  nccl.nccl.protocol = Protocol::Simple;
  CHECK_THAT(best(CollectiveKind::AllGather, 96_MB, dgx_a100(), nccl).time / 1_us,
             WithinRel(32.2 + 875, 1e-9));
  nccl.nccl.channels = 24;
  CHECK_THAT(best(CollectiveKind::AllGather, 240_MB, dgx_a100(), nccl).time / 1_us,
             WithinRel(32.2 + 875, 1e-9));
}

TEST_CASE("sockets move what the CPU threads that serve them can", "[models]") {
  NetworkProfile nccl = plain_nccl("2.18");
  nccl.ll128 = false;
  nccl.socket_thread.value = 5_GB_per_s;
  const GroupLayout layout = rail(GpuArchitecture::Ampere, 4, 24_GB_per_s);
  const auto flow = [&](std::optional<int> threads) {
    nccl.nccl.socket_threads = threads;
    const auto all = best(CollectiveKind::AllGather, 960_MB, layout, nccl);
    return (all.time - all.latency) / 1_ms;
  };
  // 3/4 of 960 MB: through the one proxy of a process 144 ms; the search finds one channel, so two
  // run: with one helper thread each 72 ms, with two 36; with three the NIC's 24 GB/s hold.
  CHECK_THAT(flow(std::nullopt), WithinRel(144.0, 1e-9));
  CHECK_THAT(flow(1), WithinRel(72.0, 1e-9));
  CHECK_THAT(flow(2), WithinRel(36.0, 1e-9));
  CHECK_THAT(flow(3), WithinRel(30.0, 1e-9));
}

TEST_CASE("without a version the GPU's own time decides", "[models]") {
  CHECK(nccl_release("", GpuArchitecture::Volta).version == "2.10");
  CHECK(nccl_release("", GpuArchitecture::Ampere).version == "2.18");
  CHECK(nccl_release("", GpuArchitecture::Hopper).version == "2.27");
  CHECK(nccl_release("", GpuArchitecture::Blackwell).version == "2.27");
  CHECK(nccl_release("2.10", GpuArchitecture::Hopper).version == "2.10");
  CHECK(knows_nccl_release(""));
}

TEST_CASE("a version stands for the nearest known release at or below it", "[models]") {
  const auto nearest = [](const std::string& version) {
    return std::string(nccl_release(version, GpuArchitecture::Ampere).version);
  };
  CHECK(nearest("2.9") == "2.10");  // the oldest known
  CHECK(nearest("2.11.4") == "2.10");
  CHECK(nearest("2.17") == "2.12");
  CHECK(nearest("2.18.3") == "2.18");
  CHECK(nearest("2.20") == "2.19");
  CHECK(nearest("2.26.2") == "2.19");
  CHECK(nearest("2.29") == "2.27");
  for (const char* name : {"3.0", "2", "2.x", "2.18.", "2.18.3a", "newest"}) {
    CHECK_FALSE(knows_nccl_release(name));
  }
}

TEST_CASE("fitted factors scale latencies and bandwidths, and the launch is added", "[models]") {
  NetworkProfile nccl = plain_nccl("2.18");
  nccl.latency_factor.value = 1.5;
  nccl.intra_latency_factor.value = 2;
  nccl.bandwidth_factor.value = 0.9;
  nccl.intra_bandwidth_factor.value = 0.8;
  nccl.launch.value = 3_us;
  // Simple all-gathers of the tests above.
  CHECK_THAT(best(CollectiveKind::AllGather, 240_MB, dgx_a100(), nccl).time / 1_us,
             WithinRel(3 + 2 * 32.2 + 875 / 0.8, 1e-9));
  // Two nodes, 15 steps, one over the network, hops inside at least 3 * 2 us.
  CHECK_THAT(best(CollectiveKind::AllGather, 1920_MB, dgx_a100_hdr(2), nccl).time / 1_us,
             WithinRel(3 + 1.5 * (8.4 + 14 * 6 + 14) + 9375 / 0.9, 1e-9));
}

TEST_CASE("a calibration's corrections scale one algorithm and protocol", "[models]") {
  NetworkProfile nccl = plain_nccl("2.18");
  nccl.inside_node.ring.simple.latency.value = 1.5;
  nccl.inside_node.ring.simple.bandwidth.value = 0.95;
  nccl.across_nodes.ring.simple.bandwidth.value = 0.5;  // another kind of group
  const auto gather = [&](Bytes message) {
    return best(CollectiveKind::AllGather, message, dgx_a100(), nccl);
  };
  // The all-gather of 240 MB above: 32.2 us and 875 us. (LL128 would take 978.)
  CHECK_THAT(gather(240_MB).time / 1_us, WithinRel(1.5 * 32.2 + 875 / 0.95, 1e-9));
  CHECK_THAT(gather(240_MB).algorithm_bandwidth.value(), WithinRel(0.95 * 240e6 / 875e-6, 1e-9));
}

TEST_CASE("no correction makes a collective faster than its links", "[models]") {
  NetworkProfile nccl = plain_nccl("2.18");
  nccl.inside_node.ring.simple.bandwidth.value = 3;
  CHECK_THAT(best(CollectiveKind::AllGather, 240_MB, dgx_a100(), nccl).time / 1_us,
             WithinRel(32.2 + 875, 1e-9));
}

TEST_CASE("a ramp adds the geometric mean of latency and flow", "[models]") {
  NetworkProfile nccl = plain_nccl("2.18");
  nccl.inside_node.ramp.value = 2;
  // (sqrt(32.2) + sqrt(875))^2 = 32.2 + 875 + 2 sqrt(32.2 * 875) = 1242.9117
  CHECK_THAT(best(CollectiveKind::AllGather, 240_MB, dgx_a100(), nccl).time / 1_us,
             WithinRel(907.2 + 2 * std::sqrt(32.2 * 875), 1e-9));
}

TEST_CASE("the ramp of NVLS is not that of rings", "[models]") {
  const auto time = [](Algorithm algorithm, double ramp, double nvls_ramp) {
    NetworkProfile nccl = plain_nccl("2.27");
    nccl.nccl.algorithm = algorithm;
    nccl.nccl.protocol = Protocol::Simple;
    nccl.across_nodes.ramp.value = ramp;
    nccl.across_nodes.nvls_ramp.value = nvls_ramp;
    return best(CollectiveKind::AllReduce, 480_MB, dgx_h100_ndr(4), nccl).time / 1_us;
  };
  // NVLSTree as above: 81 us and 3000 us.
  CHECK_THAT(time(Algorithm::NvlsTree, 2, 0), WithinRel(81 + 3000.0, 1e-9));
  CHECK_THAT(time(Algorithm::NvlsTree, 0, 2), WithinRel(3081 + 2 * std::sqrt(81 * 3000.0), 1e-9));
  CHECK(time(Algorithm::Ring, 0, 2) == time(Algorithm::Ring, 0, 0));
  CHECK(time(Algorithm::Ring, 2, 0) > time(Algorithm::Ring, 0, 0));
}

TEST_CASE("factors by size lie on straight lines over the logarithm", "[models]") {
  CollectiveCorrections corrections;
  CHECK(size_factor(corrections, 1_MiB) == 1.0);
  corrections.size[3].value = 1.2;  // 512 KiB
  corrections.size[4].value = 0.9;  // 4 MiB
  CHECK_THAT(size_factor(corrections, 512_KiB), WithinRel(1.2, 1e-12));
  // 1 MiB is a third of the way: 1.2^(2/3) * 0.9^(1/3)
  CHECK_THAT(size_factor(corrections, 1_MiB), WithinRel(std::cbrt(1.2 * 1.2 * 0.9), 1e-12));
  CHECK_THAT(size_factor(corrections, 4_MiB), WithinRel(0.9, 1e-12));
  CHECK(size_factor(corrections, 1_B) == 1.0);
  CHECK(size_factor(corrections, 100_GB) == 1.0);
}

}  // namespace stepcast
