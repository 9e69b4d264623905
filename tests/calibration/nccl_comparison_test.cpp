#include "calibration/nccl_comparison.h"

#include <catch2/catch.hpp>

#include "tests/support/small_steps.h"

namespace stepcast {
namespace {

// Two nodes of two GPUs, and a log of a job on them.
Cluster four_gpus() { return Cluster(test::small_cluster(2, 2, 2)); }

NcclInfoLog one_communicator(int ranks, int channels, std::vector<int> ring) {
  NcclInfoLog log;
  log.communicators.push_back({ranks, channels, 0, {std::move(ring)}, {{"NET/IB", 2}}, 7});
  return log;
}

NetworkProfile network() { return test::plain_profile().network; }

}  // namespace

TEST_CASE("compare-log: a ring's crossings between nodes are counted in log and model",
          "[calibration]") {
  const Cluster cluster = four_gpus();
  const auto in_order = compare_nccl(one_communicator(4, 4, {0, 1, 2, 3}), cluster, network());
  REQUIRE(in_order.communicators.size() == 1);
  CHECK(in_order.communicators[0].crossings == 2);           // 1 -> 2 and 3 -> 0
  CHECK(in_order.communicators[0].modelled_crossings == 2);  // once into each node
  const auto criss_cross = compare_nccl(one_communicator(4, 4, {0, 2, 1, 3}), cluster, network());
  CHECK(criss_cross.communicators[0].crossings == 4);
  const auto cut = compare_nccl(one_communicator(4, 4, {0, 1, 2}), cluster, network());
  CHECK_FALSE(cut.communicators[0].crossings);
}

TEST_CASE("compare-log: channels are compared for groups that the cluster has", "[calibration]") {
  const Cluster cluster = four_gpus();
  // Two NICs of 24 usable GB/s: a ring by each, and NCCL runs two of either.
  const auto all = compare_nccl(one_communicator(4, 4, {}), cluster, network());
  CHECK(all.communicators[0].modelled_channels == 4);
  const auto three = compare_nccl(one_communicator(3, 4, {}), cluster, network());
  CHECK_FALSE(three.communicators[0].modelled_channels);
}

TEST_CASE("compare-log: communicators that are alike are told once", "[calibration]") {
  NcclInfoLog log = one_communicator(4, 4, {});
  log.communicators.push_back(log.communicators[0]);
  const auto compared = compare_nccl(log, four_gpus(), network());
  REQUIRE(compared.communicators.size() == 1);
  CHECK(compared.communicators[0].seen == 2);
  CHECK(compared.communicators[0].connections.at("NET/IB") == 4);
}

TEST_CASE("compare-log: calls are set beside the model's choice, forced as the log was",
          "[calibration]") {
  NcclInfoLog log;
  log.calls = {{"all_reduce", 1_GiB, "ring", "simple", 3},
               {"all_reduce", 1_GiB, "ring", "simple", 4},
               {"gather", 1_GiB, "ring", "simple", 5}};
  log.environment["NCCL_ALGO"] = "Tree";
  const auto compared = compare_nccl(log, four_gpus(), network());
  REQUIRE(compared.calls.size() == 2);
  CHECK(compared.calls[0].seen == 2);
  CHECK(compared.calls[0].modelled.starts_with("tree/"));
  CHECK_FALSE(compared.calls[0].agrees());
  CHECK(compared.calls[1].modelled.empty());
  REQUIRE(compared.notes.size() == 1);
  CHECK_THAT(compared.notes[0], Catch::Contains("NCCL_ALGO=Tree was set"));
}

}  // namespace stepcast
