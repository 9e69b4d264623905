#include "sim/replicas.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

#include "sim/run.h"
#include "tests/support/small_steps.h"
#include "tests/support/timelines.h"
#include "topology/tree_traffic.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

// A job on nodes of `gpus` GPUs with `nics` NICs.
struct Job {
  PlanShape shape;
  int context;
  int gpus;
  int nics;
};

TrainingJob training_job(const Job& made, int zero_stage) {
  TrainingJob job = small_job(made.shape);
  job.plan.context_parallel = made.context;
  job.plan.zero_stage = zero_stage;
  job.plan.overlap_gradient_reduce = true;
  return job;
}

ClusterSpec cluster_of(const Job& made) {
  const PlanShape& shape = made.shape;
  const int ranks = shape.tensor * shape.pipeline * shape.data * made.context;
  return small_cluster(ranks / made.gpus, made.gpus, made.nics);
}

// Of a block of replicas that touches `nodes` nodes: how often a tree over all enters each.
std::vector<int> tree_degrees(int block, int blocks, int nodes) {
  std::vector<int> degrees;
  for (int i = 0; i < nodes; ++i) degrees.push_back(tree_degree(block * nodes + i, blocks * nodes));
  return degrees;
}

// The same program with the classes of all ranks, as `whole` numbers them. Replicas that are not
// placed are like those at the same place of the block that stands for them: the trees over all
// enter its nodes as often. `nodes`: of a block that a group over replicas touches.
FoldedProgram for_all_ranks(FoldedProgram few, const Placement& placed, const Placement& whole,
                            int block, int nodes) {
  const int replicas = placed.grid.degree(Axis::Data);
  const int blocks = whole.grid.degree(Axis::Data) / block;
  const auto stand_in = [&](int number) {
    return std::find_if(placed.replicas.begin(), placed.replicas.end(),
                        [&](const PlacedReplica& r) {
                          return r.copies > 1 && r.number % block == number % block &&
                                 tree_degrees(r.number / block, blocks, nodes) ==
                                     tree_degrees(number / block, blocks, nodes);
                        });
  };
  const int ranks = placed.grid.num_ranks() / placed.grid.degree(Axis::Pipeline) / replicas;
  std::vector<int> classes;
  for (int rank = 0; rank < whole.grid.num_ranks(); ++rank) {
    const int number = whole.grid.coordinate(rank, Axis::Data);
    auto place = std::find_if(placed.replicas.begin(), placed.replicas.end(),
                              [&](const PlacedReplica& r) { return r.number == number; });
    if (place == placed.replicas.end()) place = stand_in(number);
    REQUIRE(place != placed.replicas.end());
    const int replica = static_cast<int>(place - placed.replicas.begin());
    const int stage = whole.grid.coordinate(rank, Axis::Pipeline);
    const int there = (stage * replicas + replica) * ranks + rank % ranks;
    classes.push_back(few.class_of_rank[static_cast<std::size_t>(there)]);
  }
  few.class_of_rank = std::move(classes);
  return few;
}

void require_same_timelines(const Job& made, const TrainingJob& job, const ClusterSpec& cluster) {
  const PlacedReplicas placed = fewest_replicas(job.plan, cluster);
  REQUIRE_FALSE(placed.replicas.empty());
  const Step whole(job, cluster);
  const Cluster few_nodes(placed.cluster);
  const Placement placement = place_ranks(rank_grid(placed.plan), few_nodes, placed.replicas);
  REQUIRE(placement.num_ranks() == whole.placement.grid.num_ranks());
  const StepProgram program =
      training_step(job, whole.profile, plain_device(), placement, few_nodes);
  const int ranks_of_replica = made.shape.tensor * made.context;
  const int block = made.gpus / std::gcd(made.gpus, ranks_of_replica);
  const int nodes = std::min(block, block * ranks_of_replica / made.gpus);
  const FoldedProgram few =
      for_all_ranks(fold(program, placement, few_nodes, whole.profile.network), placement,
                    whole.placement, block, nodes);
  const FoldedProgram all = whole.folded();

  int members = 0;
  for (const FoldedRank& rank : few.ranks) members += rank.members;
  REQUIRE(members == whole.placement.grid.num_ranks());
  const TimelineComparison difference = compare(few, run_engine(few, EngineChoice::Event).timeline,
                                                all, run_engine(all, EngineChoice::Event).timeline);
  REQUIRE(difference.spans > 0);
  REQUIRE(difference.largest_difference < 1e-9);
}

}  // namespace

TEST_CASE("few replicas give every rank the timeline that all of them give", "[sim][folding]") {
  const Job made = GENERATE(Job{{.tensor = 2, .pipeline = 2, .data = 8}, 1, 2, 1},
                            Job{{.tensor = 2, .pipeline = 2, .data = 8}, 1, 4, 2},
                            Job{{.tensor = 4, .pipeline = 1, .data = 6}, 1, 2, 2},
                            Job{{.tensor = 2, .pipeline = 4, .data = 12}, 1, 8, 4},
                            Job{{.tensor = 1, .pipeline = 2, .data = 16}, 2, 4, 4},
                            Job{{.tensor = 2, .pipeline = 1, .data = 14}, 2, 8, 2},
                            Job{{.tensor = 3, .pipeline = 2, .data = 24}, 1, 4, 4});
  const int zero_stage = GENERATE(0, 1, 3);
  if (zero_stage == 3 && made.shape.pipeline > 1) return;
  ClusterSpec cluster = cluster_of(made);
  cluster.fabric.layout = GENERATE(FabricLayout::RailOptimized, FabricLayout::FatTree);
  cluster.fabric.nodes_per_leaf = 3;
  require_same_timelines(made, training_job(made, zero_stage), cluster);
}

TEST_CASE("few replicas beside the faulty ones give the same timelines too", "[sim][folding]") {
  const Job made = GENERATE(Job{{.tensor = 2, .pipeline = 2, .data = 8}, 1, 2, 1},
                            Job{{.tensor = 2, .pipeline = 2, .data = 8}, 1, 4, 2},
                            Job{{.tensor = 4, .pipeline = 1, .data = 6}, 1, 2, 2},
                            Job{{.tensor = 1, .pipeline = 2, .data = 16}, 2, 4, 4});
  ClusterSpec cluster = cluster_of(made);
  cluster.fabric.nodes_per_leaf = 3;
  const auto seed = GENERATE(1, 2, 3, 4);
  const int ranks = cluster.nodes * cluster.node.gpus;
  cluster.faults.push_back({.gpu = seed * 7 % ranks, .rate = 0.8, .link = {}, .bandwidth = {}});
  if (seed > 2) {
    const std::string nic = "node" + std::to_string(seed * 3 % cluster.nodes) + "/nic0";
    cluster.faults.push_back({.gpu = -1, .rate = 1.0, .link = nic, .bandwidth = 7_GB_per_s});
  }
  require_same_timelines(made, training_job(made, 1), cluster);
}

TEST_CASE("all replicas are placed where they may differ", "[sim][folding]") {
  TrainingJob job = small_job({.tensor = 2, .data = 8});
  ClusterSpec cluster = small_cluster(8, 2, 1);
  REQUIRE(fewest_replicas(job.plan, cluster).plan.data_parallel == 2);
  SECTION("a fault in the network") {
    cluster.faults.push_back(
        {.gpu = -1, .rate = 1, .link = "leaf0>spine", .bandwidth = 1_GB_per_s});
  }
  SECTION("another job between two GPUs") {
    cluster.background.push_back({.from = 0, .to = 4, .rails = {}, .rate = 1_GB_per_s});
  }
  SECTION("flows that are hashed to equal paths") { cluster.fabric.equal_cost_paths = 4; }
  SECTION("an oversubscribed network") { cluster.fabric.oversubscription = 2; }
  SECTION("replicas that are not next to each other") { job.plan.rank_order = "dp-tp-cp-ep-pp"; }
  SECTION("shards of some") { job.plan.shard_group = 4; }
  SECTION("two of them") { job.plan.data_parallel = 2; }
  SECTION("one node, where rings do not cross the network") { cluster = small_cluster(1, 16, 1); }
  REQUIRE(fewest_replicas(job.plan, cluster).replicas.empty());
}

TEST_CASE("the faulty replica is placed with one that stands for the others", "[sim][folding]") {
  // Two stages of eight replicas of two ranks, a node each: GPU 21 is of replica 2 in stage 1.
  const TrainingJob job = small_job({.tensor = 2, .pipeline = 2, .data = 8});
  ClusterSpec cluster = small_cluster(16, 2, 1);
  cluster.faults.push_back({.gpu = 21, .rate = 0.8, .link = {}, .bandwidth = {}});
  const PlacedReplicas few = fewest_replicas(job.plan, cluster);
  // Beside it one of the two at the ends of trees over eight nodes, and one of the five others.
  REQUIRE(few.replicas.size() == 3);
  REQUIRE(few.replicas[0].number == 0);
  REQUIRE(few.replicas[0].copies == 2);
  REQUIRE(few.replicas[1].number == 1);
  REQUIRE(few.replicas[1].copies == 5);
  REQUIRE(few.replicas[2].number == 2);
  REQUIRE(few.replicas[2].copies == 1);
  REQUIRE(few.cluster.nodes == 6);
  REQUIRE(few.cluster.faults[0].gpu == 11);  // stage 1 begins at 6, replica 2 is its third
  const Placement placement = place_ranks(rank_grid(few.plan), Cluster(few.cluster), few.replicas);
  REQUIRE(placement.num_ranks() == 32);
  REQUIRE(placement.number_in_job(5) == 5);
  REQUIRE(placement.number_in_job(11) == 21);
  REQUIRE(placement.copies_of(2) == 5);
}
