#include "sim/replicas.h"

#include <catch2/catch.hpp>

#include "sim/run.h"
#include "tests/support/small_steps.h"
#include "tests/support/timelines.h"

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

// The same program with the classes of all ranks, as `whole` numbers them.
FoldedProgram for_all_ranks(FoldedProgram few, const Placement& placed, const Placement& whole) {
  std::vector<int> classes;
  const int in_stage = placed.grid.num_ranks() / placed.grid.degree(Axis::Pipeline);
  for (int rank = 0; rank < whole.grid.num_ranks(); ++rank) {
    const int stage = whole.grid.coordinate(rank, Axis::Pipeline);
    classes.push_back(
        few.class_of_rank[static_cast<std::size_t>(stage * in_stage + rank % in_stage)]);
  }
  few.class_of_rank = std::move(classes);
  return few;
}

}  // namespace

TEST_CASE("few replicas give every rank the timeline that all of them give", "[sim][folding]") {
  const Job made = GENERATE(Job{{.tensor = 2, .pipeline = 2, .data = 8}, 1, 2, 1},
                            Job{{.tensor = 2, .pipeline = 2, .data = 8}, 1, 4, 2},
                            Job{{.tensor = 4, .pipeline = 1, .data = 6}, 1, 2, 2},
                            Job{{.tensor = 2, .pipeline = 4, .data = 16}, 1, 8, 4},
                            Job{{.tensor = 1, .pipeline = 2, .data = 16}, 2, 4, 4},
                            Job{{.tensor = 2, .pipeline = 1, .data = 12}, 2, 8, 2},
                            Job{{.tensor = 3, .pipeline = 2, .data = 8}, 1, 4, 4});
  const int zero_stage = GENERATE(0, 1, 3);
  if (zero_stage == 3 && made.shape.pipeline > 1) return;
  const TrainingJob job = training_job(made, zero_stage);
  ClusterSpec cluster = cluster_of(made);
  cluster.fabric.layout = GENERATE(FabricLayout::RailOptimized, FabricLayout::FatTree);
  cluster.fabric.nodes_per_leaf = 3;

  const PlacedReplicas placed = fewest_replicas(job.plan, cluster);
  REQUIRE(placed.copies > 1);
  const Step whole(job, cluster);
  const Cluster few_nodes(placed.cluster);
  const Placement placement = place_ranks(rank_grid(placed.plan), few_nodes, placed.copies);
  const StepProgram program =
      training_step(job, whole.profile, plain_device(), placement, few_nodes);
  const FoldedProgram few = for_all_ranks(
      fold(program, placement, few_nodes, whole.profile.network), placement, whole.placement);
  const FoldedProgram all = whole.folded();

  int members = 0;
  for (const FoldedRank& rank : few.ranks) members += rank.members;
  REQUIRE(members == whole.placement.grid.num_ranks());
  const TimelineComparison difference = compare(few, run_engine(few, EngineChoice::Event).timeline,
                                                all, run_engine(all, EngineChoice::Event).timeline);
  REQUIRE(difference.spans > 0);
  REQUIRE(difference.largest_difference < 1e-9);
}

TEST_CASE("all replicas are placed where they may differ", "[sim][folding]") {
  TrainingJob job = small_job({.tensor = 2, .data = 8});
  ClusterSpec cluster = small_cluster(8, 2, 1);
  REQUIRE(fewest_replicas(job.plan, cluster).copies == 4);
  SECTION("a fault") {
    cluster.faults.push_back({.gpu = 3, .rate = 0.9, .link = {}, .bandwidth = {}});
  }
  SECTION("an oversubscribed network") { cluster.fabric.oversubscription = 2; }
  SECTION("replicas that are not next to each other") { job.plan.rank_order = "dp-tp-cp-ep-pp"; }
  SECTION("shards of some") { job.plan.shard_group = 4; }
  SECTION("a prime number of them") { job.plan.data_parallel = 7; }
  SECTION("one node, where rings do not cross the network") { cluster = small_cluster(1, 16, 1); }
  REQUIRE(fewest_replicas(job.plan, cluster).copies == 1);
}

TEST_CASE("a placed rank has its number in the whole job", "[sim][folding]") {
  // Two of six replicas of two ranks: stage 1 begins at 12 instead of 4.
  const TrainingJob job = small_job({.tensor = 2, .pipeline = 2, .data = 2});
  const Placement placement = place_ranks(rank_grid(job.plan), Cluster(small_cluster(4, 2, 1)), 3);
  REQUIRE(placement.num_ranks() == 24);
  REQUIRE(placement.number_in_job(3) == 3);
  REQUIRE(placement.number_in_job(5) == 13);
}
