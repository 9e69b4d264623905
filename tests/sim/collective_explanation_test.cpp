#include "sim/collective_explanation.h"

#include <catch2/catch.hpp>
#include <numeric>

#include "models/nccl_exclusion.h"
#include "tests/support/small_steps.h"

namespace stepcast {
namespace {

std::vector<GpuId> all_gpus(const Cluster& cluster) {
  std::vector<GpuId> gpus(static_cast<std::size_t>(cluster.num_gpus()));
  std::iota(gpus.begin(), gpus.end(), 0);
  return gpus;
}

NetworkProfile network() { return test::plain_profile().network; }

CollectiveExplanation explain(const Cluster& cluster, Bytes message) {
  return explain_collective(CollectiveKind::AllReduce, message, cluster, all_gpus(cluster),
                            network());
}

}  // namespace

TEST_CASE("explain: the candidates are NCCL's, its choice first, with the links that limit it",
          "[sim]") {
  const Cluster cluster(test::small_cluster(2, 4, 2));
  const CollectiveExplanation explanation = explain(cluster, 1_GiB);
  const auto candidates =
      collective_candidates(CollectiveKind::AllReduce, 1_GiB, explanation.layout, network());
  REQUIRE(explanation.candidates.size() == candidates.size());
  CHECK(explanation.winner().time == candidates.front().time);
  CHECK(explanation.nics == std::vector<std::string>{"nic0", "nic1"});
  CHECK(explanation.tightest_weight >= 1);
  CHECK(explanation.release == "2.18");
}

TEST_CASE(
    "explain: every pair of algorithm and protocol is a candidate, excluded with a reason, or "
    "does not exist",
    "[sim]") {
  const int nodes = GENERATE(1, 2);
  const Cluster cluster(test::small_cluster(nodes, 4, 2));
  const CollectiveExplanation explanation = explain(cluster, 1_MiB);
  std::size_t named = 0;
  for (const ExcludedCandidate& excluded : explanation.excluded) {
    CHECK_FALSE(excluded.reason.empty());
    for (const CollectiveCandidate& candidate : explanation.candidates) {
      CHECK_FALSE(
          (candidate.algorithm == excluded.algorithm && candidate.protocol == excluded.protocol));
    }
    ++named;
  }
  // Ring and tree by three protocols; NVLS, NVLSTree and CollNet by one.
  CHECK(explanation.candidates.size() + named == 9);
}

TEST_CASE("explain: who wins by size begins with the smallest and never names a size twice",
          "[sim]") {
  const Cluster cluster(test::small_cluster(2, 4, 2));
  const auto ranges = explain(cluster, 1_MiB).ranges;
  REQUIRE_FALSE(ranges.empty());
  CHECK(ranges.front().from == 8_B);
  CHECK(ranges.front().protocol == Protocol::LL);
  CHECK(ranges.back().protocol == Protocol::Simple);
  for (std::size_t i = 1; i < ranges.size(); ++i) CHECK(ranges[i].from > ranges[i - 1].from);
}

TEST_CASE("explain: the sentence says by what the winner wins", "[sim]") {
  CollectiveExplanation explanation{};
  explanation.candidates = {{Algorithm::Ring, Protocol::Simple, 30_us, 100_GB_per_s, 0_s, 0_s},
                            {Algorithm::Tree, Protocol::LL, 10_us, 50_GB_per_s, 0_s, 0_s}};
  // 30 us + S / 100 GB/s = 10 us + S / 50 GB/s at S = 2 MB
  CHECK(explanation.why() ==
        "ring/simple moves 100 GB/s, tree/ll only 50 GB/s, which outweighs its 30 us of latency "
        "(against 10 us) above 1.91 MiB");
  std::swap(explanation.candidates[0], explanation.candidates[1]);
  CHECK(explanation.why() ==
        "tree/ll takes 10 us to start, ring/simple 30 us, which outweighs its lower bandwidth (50 "
        "GB/s against 100 GB/s) below 1.91 MiB");
  explanation.candidates.pop_back();
  CHECK(explanation.why() == "tree/ll is the only way");
}

}  // namespace stepcast
