#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "models/collectives.h"
#include "models/nccl_tuner.h"
#include "tests/models/group_layouts.h"

namespace stepcast {

using Catch::Matchers::WithinRel;

TEST_CASE("one rank and empty messages cost nothing", "[models]") {
  const NetworkProfile nccl = plain_nccl("2.18");
  GroupLayout alone;
  const Transfer one_rank = plan_transfer(CollectiveKind::AllReduce, 1_GB, alone, nccl);
  CHECK(alone_time(one_rank, alone) == 0_s);
  CHECK(one_rank.bytes == 0_B);
  const Transfer empty = plan_transfer(CollectiveKind::AllReduce, 0_B, dgx_a100(), nccl);
  CHECK(alone_time(empty, dgx_a100()) == 0_s);
}

namespace {

constexpr CollectiveKind kKinds[] = {CollectiveKind::AllReduce,     CollectiveKind::AllGather,
                                     CollectiveKind::ReduceScatter, CollectiveKind::Broadcast,
                                     CollectiveKind::AllToAll,      CollectiveKind::SendReceive};

std::vector<GroupLayout> layouts_for(CollectiveKind kind) {
  std::vector<GroupLayout> layouts{
      dgx_a100(),
      dgx_a100_hdr(2),
      dgx_a100_hdr(16),
      p4d_efa(2),
      p4d_efa(8),
      one_node(GpuArchitecture::Hopper, 8, 360_GB_per_s),
      one_node(GpuArchitecture::Volta, 4, 120_GB_per_s),
      dgx_h100_ndr(4),
      dgx_h100_ndr(2),
      dgx_h100_sharp(4),
      rail(GpuArchitecture::Ampere, 2, 24_GB_per_s),
      rail(GpuArchitecture::Hopper, 64, 48_GB_per_s),
  };
  if (kind == CollectiveKind::SendReceive) {
    for (GroupLayout& layout : layouts) layout = pair(layout);
  }
  return layouts;
}

}  // namespace

TEST_CASE("property: alone, a planned flow takes its candidate's time to within a byte",
          "[models]") {
  const CollectiveKind kind = GENERATE(from_range(std::begin(kKinds), std::end(kKinds)));
  const std::string version = GENERATE("2.10", "2.12", "2.18", "2.19", "2.27");
  for (const GroupLayout& layout : layouts_for(kind)) {
    for (double size = 1; size < 1e11; size *= 7) {
      const Bytes message(size);
      for (const CollectiveCandidate& candidate :
           collective_candidates(kind, message, layout, plain_nccl(version))) {
        NetworkProfile nccl = plain_nccl(version);
        if (candidate.algorithm != Algorithm::PointToPoint)
          nccl.nccl.algorithm = candidate.algorithm;
        nccl.nccl.protocol = candidate.protocol;
        const Transfer flow = plan_transfer(kind, message, layout, nccl);
        const BytesPerSecond pace = layout.of(flow.traffic).pace;
        INFO(word(kind) << " of " << size << " B over " << layout.ranks << " ranks, "
                        << word(candidate.algorithm) << " " << word(candidate.protocol));
        CHECK(std::abs((alone_time(flow, layout) - candidate.time).value()) <=
              1e-9 * candidate.time.value() + 1.0000001 * (1_B / pace).value());
        CHECK(flow.bytes.value() == std::round(flow.bytes.value()));
        CHECK(flow.rate_limit <= pace);
      }
    }
  }
}

TEST_CASE("property: a ring's time grows with the message", "[models]") {
  // Not for trees: NCCL's table for middle sizes lets 2 MiB be quicker than a little less.
  const CollectiveKind kind =
      GENERATE(CollectiveKind::AllGather, CollectiveKind::ReduceScatter, CollectiveKind::Broadcast,
               CollectiveKind::AllToAll, CollectiveKind::SendReceive);
  const std::string version = GENERATE("2.10", "2.18", "2.27");
  for (const GroupLayout& layout : layouts_for(kind)) {
    Seconds last;
    for (double size = 1; size < 1e11; size *= 1.7) {
      const Seconds time = best(kind, Bytes(size), layout, plain_nccl(version)).time;
      CHECK(time > last);
      last = time;
    }
  }
}

TEST_CASE("property: all-reduce of powers of two takes longer the larger it is", "[models]") {
  const std::string version = GENERATE("2.10", "2.18", "2.27");
  for (const GroupLayout& layout : layouts_for(CollectiveKind::AllReduce)) {
    Seconds last;
    for (double size = 64; size < 1e11; size *= 2) {
      const Seconds time =
          best(CollectiveKind::AllReduce, Bytes(size), layout, plain_nccl(version)).time;
      INFO(size << " B over " << layout.ranks << " ranks, NCCL " << version);
      CHECK(time > last);
      last = time;
    }
  }
}

TEST_CASE("property: no candidate asks more of a link than it has", "[models]") {
  const CollectiveKind kind = GENERATE(from_range(std::begin(kKinds), std::end(kKinds)));
  const std::string version = GENERATE("2.10", "2.18", "2.27");
  for (const GroupLayout& layout : layouts_for(kind)) {
    for (double size = 64; size < 1e11; size *= 4) {
      for (const CollectiveCandidate& candidate :
           collective_candidates(kind, Bytes(size), layout, plain_nccl(version))) {
        const Traffic& traffic = layout.of(traffic_of(kind, candidate.algorithm));
        const double share = wire_share(kind, candidate.algorithm, layout.ranks) / traffic.units;
        CHECK(candidate.algorithm_bandwidth * share <= traffic.pace * (1 + 1e-12));
        CHECK(candidate.time >= candidate.tuner_time);
      }
    }
  }
}

TEST_CASE("flows carry the bytes that protocol and algorithm put on the links", "[models]") {
  const NetworkProfile nccl = plain_nccl("2.18");
  // Ring Simple over 16 ranks and 8 channels: 2 * 15 / 16 / 8 of the message, at the links' pace.
  const GroupLayout two_nodes = dgx_a100_hdr(2);
  const Transfer ring = plan_transfer(CollectiveKind::AllReduce, 1.6_GB, two_nodes, nccl);
  CHECK(ring.bytes == 375_MB);
  CHECK(ring.rate_limit == 0_GB_per_s);
  // Ring LL: twice the bytes, at half the links' pace, as its data takes a quarter.
  const Transfer ll = plan_transfer(CollectiveKind::ReduceScatter, 16_kB, two_nodes, nccl);
  CHECK(ll.bytes == 2 * (16_kB * 15 / 16 / 8));
  // LLmax 22.5 GB/s of data over 8 channels, twice that on the wire.
  CHECK_THAT(ll.rate_limit / 1_GB_per_s, WithinRel(2 * 22.5 / 8, 1e-9));
  // Tree LL128 on 4 nodes, 15 MB: a unit is an eighth of the message, as halves of 8 channels that
  // every link carries in twos; 128 / 120 of it, at half of the capped pace of the data, which goes
  // up and down: 8 * 17.8 * 120 / 128 * 0.9 / 2 (table: 2^17 * 64 B).
  const GroupLayout four_nodes = dgx_a100_hdr(4);
  const Transfer tree = plan_transfer(CollectiveKind::AllReduce, 15_MB, four_nodes, nccl);
  CHECK(tree.traffic == TrafficKind::Tree);
  CHECK(tree.bytes == 2_MB);
  CHECK_THAT(tree.rate_limit / 1_GB_per_s, WithinRel(17.8 * 0.9 / 2, 1e-6));
}

TEST_CASE("a tree over two nodes sends each byte through a NIC once", "[models]") {
  NetworkProfile nccl = plain_nccl("2.27");
  nccl.ll128 = false;
  const GroupLayout layout = p4d_efa(2);
  const Transfer tree = plan_transfer(CollectiveKind::AllReduce, 1_GiB, layout, nccl);
  // 4 NICs; a ring would send 2 * 15 / 16 / 4 GiB = 503 MB through each.
  CHECK(tree.traffic == TrafficKind::Tree);
  CHECK(tree.bytes == 256_MiB);
  // In 24314.806 us (worked above): 11.04 of the NIC's 12 GB/s.
  CHECK_THAT(tree.rate_limit.value(), WithinRel(268435456 / 24314.806e-6, 1e-6));
}

TEST_CASE("a tuner that does not see the links' narrowest place is as slow as that", "[models]") {
  // Four nodes on two leaves whose uplinks carry a quarter of their NICs: 8 rings share 48 GB/s.
  FabricSpec fabric = one_switch(8, 24_GB_per_s);
  fabric.layout = FabricLayout::FatTree;
  fabric.nodes_per_leaf = 2;
  fabric.oversubscription = 8;
  const GroupLayout layout =
      group_on(nvswitch_node(GpuArchitecture::Ampere, 240_GB_per_s), 4, fabric);
  const CollectiveCandidate gather =
      best(CollectiveKind::AllGather, 3200_MB, layout, plain_nccl("2.18"));
  // Uplink 2 * 8 * 24 / 8 = 48 GB/s for 31/32 of 3.2 GB, beside 192 GB/s that the tuner counts on.
  CHECK_THAT((gather.time - gather.latency) / 1_ms, WithinRel(3100.0 / 48, 1e-9));
  CHECK_THAT((gather.tuner_time - gather.latency) / 1_ms, WithinRel(3100.0 / 192, 1e-9));
}

}  // namespace stepcast
