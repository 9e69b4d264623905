#include "models/step_groups.h"

#include <catch2/catch.hpp>
#include <set>

#include "tests/support/small_steps.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

using Ranks = std::vector<int>;

// Rank 5 of two tensor, two data, two pipeline ranks: tensor 1, data 0, stage 1.
Ranks group_of_5(Group group, bool tied = false) {
  TrainingJob job = small_job({.tensor = 2, .pipeline = 2, .data = 2});
  job.model.tied_embeddings = tied;
  return group_ranks(group, 5, job, rank_grid(job.plan), 1);
}

StepProgram groups_of(const TrainingJob& job) {
  StepProgram program;
  add_groups(job, rank_grid(job.plan), job.plan.pipeline_parallel - 1, program);
  return program;
}

}  // namespace

TEST_CASE("groups of one rank among eight, by hand", "[models]") {
  REQUIRE(group_of_5(Group::Tensor) == Ranks{4, 5});
  REQUIRE(group_of_5(Group::Context) == Ranks{5});
  REQUIRE(group_of_5(Group::Data) == Ranks{5, 7});
  REQUIRE(group_of_5(Group::Shard) == Ranks{5, 7});
  REQUIRE(group_of_5(Group::Replica) == Ranks{5});
  REQUIRE(group_of_5(Group::Model) == Ranks{0, 1, 4, 5});
  REQUIRE(group_of_5(Group::Embedding).empty());
  REQUIRE(group_of_5(Group::Embedding, true) == Ranks{1, 5});
  // The pipeline is a ring: its last stage sends on to the first (the next chunk).
  REQUIRE(group_of_5(Group::SendForward) == Ranks{5, 1});
  REQUIRE(group_of_5(Group::ReceiveForward) == Ranks{1, 5});
  REQUIRE(group_of_5(Group::SendBackward) == Ranks{5, 1});
  REQUIRE(group_of_5(Group::ReceiveBackward) == Ranks{1, 5});
}

TEST_CASE("shard groups are blocks of the data group, replicas sit at equal places", "[models]") {
  TrainingJob job = small_job({.data = 6});
  job.plan.zero_stage = 3;
  job.plan.shard_group = 2;
  const RankGrid grid = rank_grid(job.plan);
  REQUIRE(group_ranks(Group::Shard, 3, job, grid, 0) == Ranks{2, 3});
  REQUIRE(group_ranks(Group::Replica, 3, job, grid, 0) == Ranks{1, 3, 5});
}

TEST_CASE("members of a communicator call the same one", "[models]") {
  const int stages = GENERATE(1, 2, 4);
  const StepProgram program = groups_of(small_job({.tensor = 2, .pipeline = stages, .data = 3}));
  for (std::size_t rank = 0; rank < program.communicators_of_rank.size(); ++rank) {
    for (const int c : program.communicators_of_rank[rank]) {
      if (c < 0) continue;
      const Ranks& members = program.communicators[static_cast<std::size_t>(c)].ranks;
      REQUIRE(std::find(members.begin(), members.end(), rank) != members.end());
    }
  }
}

TEST_CASE("a message's two ends meet, forward and backward apart, also between two stages",
          "[models]") {
  const StepProgram program = groups_of(small_job({.pipeline = 2}));
  const auto of = [&](std::size_t rank, Group group) {
    return program.communicators_of_rank[rank][static_cast<std::size_t>(group)];
  };
  REQUIRE(of(0, Group::SendForward) == of(1, Group::ReceiveForward));
  REQUIRE(of(1, Group::SendForward) == of(0, Group::ReceiveForward));
  REQUIRE(of(1, Group::SendBackward) == of(0, Group::ReceiveBackward));
  REQUIRE(of(0, Group::SendForward) != of(0, Group::SendBackward));
  REQUIRE(of(0, Group::SendForward) != of(1, Group::SendBackward));
}

TEST_CASE("groups of one rank are no communicators", "[models]") {
  const StepProgram program = groups_of(small_job({.tensor = 2}));
  REQUIRE(program.communicators.size() == 2);  // tensor group, and the model's, which is the same
  REQUIRE(program.communicators_of_rank[0][static_cast<std::size_t>(Group::Data)] == -1);
}
