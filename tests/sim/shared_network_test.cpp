// Groups that meet on NICs, uplinks and other jobs' traffic, against times worked by hand.
#include <algorithm>
#include <catch2/catch.hpp>

#include "sim/folding.h"
#include "sim/run.h"
#include "tests/support/small_steps.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

constexpr Bytes kMessage = 2.4_GB;

/// Every group gathers 2.4 GB over a ring, all at once. Of two ranks, half of it passes each NIC
/// each way: 1.2 GB, at 24 GB/s in 50 ms.
class Gathering {
 public:
  Gathering(const ClusterSpec& spec, const std::vector<std::vector<int>>& groups)
      : cluster_(spec), network_(plain_profile().network) {
    network_.nccl.protocol = Protocol::Simple;
    RankProgram& text = program_.programs.emplace_back();
    text.stream(Stream::Data)
        .push_back({.kind = InstructionKind::Collective, .index = 0, .operation = 0});
    program_.operations = {{CollectiveKind::AllGather, kMessage}};
    const auto ranks = static_cast<std::size_t>(cluster_.num_gpus());
    program_.program_of_rank.assign(ranks, 0);
    program_.communicators_of_rank.assign(ranks, {-1});
    for (const std::vector<int>& group : groups) {
      for (const int rank : group) {
        program_.communicators_of_rank[static_cast<std::size_t>(rank)] = {
            static_cast<int>(program_.communicators.size())};
      }
      program_.communicators.push_back({group});
    }
  }

  /// [rank] in ms, the latency apart; the same from the unfolded program.
  std::vector<double> flow_times() const {
    const RankGrid grid({1, 1, 1, cluster_.num_gpus(), 1}, kMegatronOrder);
    const Placement placement = place_ranks(grid, cluster_);
    const auto times = [&](const FoldedProgram& folded) {
      const Timeline timeline = run_engine(folded, EngineChoice::Event).timeline;
      std::vector<double> ms;
      for (const int rank_class : folded.class_of_rank) {
        const auto r = static_cast<std::size_t>(rank_class);
        const auto& spans = timeline.ranks[r].streams[static_cast<std::size_t>(Stream::Data)];
        const auto communicator = static_cast<std::size_t>(folded.ranks[r].communicators[0]);
        const Seconds latency = folded.communicators[communicator].transfers[0].latency;
        ms.push_back((spans.back().end - latency) / 1_ms);
      }
      return ms;
    };
    const std::vector<double> folded = times(fold(program_, placement, cluster_, network_));
    const std::vector<double> unfolded =
        times(stepcast::unfolded(program_, placement, cluster_, network_));
    for (std::size_t r = 0; r < folded.size(); ++r) {
      REQUIRE(folded[r] == Approx(unfolded[r]).epsilon(1e-9));
    }
    return folded;
  }

 private:
  Cluster cluster_;
  NetworkProfile network_;
  StepProgram program_;
};

Approx ms(double expected) { return Approx(expected).epsilon(1e-9); }

}  // namespace

TEST_CASE("gathers of two rings over one NIC last twice as long as over two", "[sim][network]") {
  const auto slowest = [](int nics) {
    const std::vector<double> times =
        Gathering(small_cluster(2, 2, nics), {{0, 2}, {1, 3}}).flow_times();
    return *std::max_element(times.begin(), times.end());
  };
  CHECK(slowest(2) == ms(50));
  CHECK(slowest(1) == ms(100));
}

TEST_CASE("a 2:1 oversubscribed fabric slows exactly the groups that cross it", "[sim][network]") {
  ClusterSpec spec = small_cluster(6, 2, 2);
  spec.fabric.layout = FabricLayout::FatTree;
  spec.fabric.nodes_per_leaf = 2;
  // Nodes 0 and 1 on one leaf, 2 and 3 on the next: four rings between them; nodes 4 and 5 stay on
  // theirs. An uplink has 2 nodes x 2 NICs x 24 GB/s, or half of it.
  const std::vector<std::vector<int>> groups{{0, 4}, {1, 5}, {2, 6}, {3, 7}, {8, 10}, {9, 11}};
  spec.fabric.oversubscription = GENERATE(1.0, 2.0);
  const std::vector<double> times = Gathering(spec, groups).flow_times();
  for (int rank = 0; rank < 12; ++rank) {
    const bool crosses = rank < 8;
    CAPTURE(rank);
    CHECK(times[static_cast<std::size_t>(rank)] ==
          ms(crosses ? 50 * spec.fabric.oversubscription : 50));
  }
}

TEST_CASE("a background job on half the rails moves only them", "[sim][network]") {
  ClusterSpec spec = small_cluster(2, 2, 2);
  spec.background.push_back({.from = -1, .to = -1, .rails = {0}, .rate = {}, .share = 0.75});
  // It asks for 18 of 24 GB/s, so both get 12: 1.2 GB in 100 ms.
  const std::vector<double> heavy = Gathering(spec, {{0, 2}, {1, 3}}).flow_times();
  CHECK(heavy[0] == ms(100));
  CHECK(heavy[1] == ms(50));
  // A quarter leaves the ring 18 GB/s.
  spec.background[0].share = 0.25;
  const std::vector<double> light = Gathering(spec, {{0, 2}, {1, 3}}).flow_times();
  CHECK(light[2] == ms(1200.0 / 18));
  CHECK(light[3] == ms(50));
}

TEST_CASE("a background flow between two GPUs shares what its route shares", "[sim][network]") {
  ClusterSpec spec = small_cluster(4, 1, 1);
  // From node 0 to node 1 at 12 GB/s: the ring over nodes 0 and 2 keeps 12 of 24 out of node 0.
  spec.background.push_back({.from = 0, .to = 1, .rails = {}, .rate = 12_GB_per_s, .share = 0});
  const std::vector<double> times = Gathering(spec, {{0, 2}, {1, 3}}).flow_times();
  CHECK(times[0] == ms(100));
  // Into node 1 likewise.
  CHECK(times[1] == ms(100));
  spec.background[0].rate = 4_GB_per_s;
  CHECK(Gathering(spec, {{0, 2}, {1, 3}}).flow_times()[1] == ms(60));
}

TEST_CASE("flows hashed to one of two equal paths collide or not, as the seed says",
          "[sim][network]") {
  ClusterSpec spec = small_cluster(4, 1, 1);
  spec.fabric.layout = FabricLayout::FatTree;
  spec.fabric.nodes_per_leaf = 2;
  spec.fabric.equal_cost_paths = 2;
  // Uplink 2 x 24 GB/s on two spines: two rings across have 24 each, or share one.
  int collisions = 0;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    spec.seed = seed;
    const std::vector<double> times = Gathering(spec, {{0, 2}, {1, 3}}).flow_times();
    const bool collides = times[0] > 75;
    CHECK(times[0] == ms(collides ? 100 : 50));
    CHECK(times[1] == times[0]);
    collisions += collides;
  }
  // Each direction is hashed by itself: three in four seeds collide somewhere.
  CHECK(collisions > 2);
  CHECK(collisions < 8);
}
