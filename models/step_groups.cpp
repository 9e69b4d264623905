#include "models/step_groups.h"

#include <algorithm>
#include <map>

namespace stepcast {
namespace {

// Members of `group` that fall into the same block of `size` consecutive places as `rank` (shards),
// or at the same place of each block (replicas).
std::vector<int> part_of(const std::vector<int>& group, int rank, int size, bool same_block) {
  const auto place = std::find(group.begin(), group.end(), rank) - group.begin();
  std::vector<int> part;
  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(group.size()); ++i) {
    if (same_block ? i / size == place / size : i % size == place % size) {
      part.push_back(group[static_cast<std::size_t>(i)]);
    }
  }
  return part;
}

std::vector<int> embedding_pair(int rank, const TrainingJob& job, const RankGrid& grid,
                                int head_stage) {
  const int stage = grid.coordinate(rank, Axis::Pipeline);
  if (!job.model.tied_embeddings || head_stage == 0) return {};
  if (stage != 0 && stage != head_stage) return {};
  const int first = grid.neighbour(rank, Axis::Pipeline, -stage);
  return {first, grid.neighbour(first, Axis::Pipeline, head_stage)};
}

}  // namespace

std::vector<int> group_ranks(Group group, int rank, const TrainingJob& job, const RankGrid& grid,
                             int head_stage) {
  const int shard = job.plan.shard_group;
  const std::vector<int> data = grid.group_of(rank, {Axis::Data, Axis::Context});
  const auto next = [&](int offset) { return grid.neighbour(rank, Axis::Pipeline, offset); };
  switch (group) {
    case Group::Tensor:
      return grid.group_of(rank, {Axis::Tensor});
    case Group::Context:
      return grid.group_of(rank, {Axis::Context});
    case Group::Data:
      return data;
    case Group::Shard:
      return shard > 0 ? part_of(data, rank, shard, true) : data;
    case Group::Replica:
      return shard > 0 ? part_of(data, rank, shard, false) : std::vector<int>{rank};
    case Group::Model:
      return grid.group_of(rank, {Axis::Tensor, Axis::Pipeline});
    case Group::Embedding:
      return embedding_pair(rank, job, grid, head_stage);
    case Group::SendForward:
      return {rank, next(1)};
    case Group::ReceiveForward:
      return {next(-1), rank};
    case Group::SendBackward:
      return {rank, next(-1)};
    case Group::ReceiveBackward:
      return {next(1), rank};
  }
  return {};
}

void add_groups(const TrainingJob& job, const RankGrid& grid, int head_stage,
                StepProgram& program) {
  // Forward and backward pairs of two neighbouring stages are different communicators even when
  // they join the same two ranks (two stages), so the direction is part of the key; a group's own
  // kind too.
  std::map<std::pair<int, std::vector<int>>, int> known;
  const auto kind = [](Group group) {
    if (group == Group::ReceiveForward) return static_cast<int>(Group::SendForward);
    if (group == Group::ReceiveBackward) return static_cast<int>(Group::SendBackward);
    return static_cast<int>(group);
  };
  program.communicators_of_rank.assign(static_cast<std::size_t>(grid.num_ranks()), {});
  for (int rank = 0; rank < grid.num_ranks(); ++rank) {
    auto& own = program.communicators_of_rank[static_cast<std::size_t>(rank)];
    for (int g = 0; g < kNumGroups; ++g) {
      const Group group = static_cast<Group>(g);
      std::vector<int> ranks = group_ranks(group, rank, job, grid, head_stage);
      if (ranks.size() < 2 || ranks[0] == ranks[1]) {
        own.push_back(-1);
        continue;
      }
      const auto [place, added] = known.try_emplace({kind(group), std::move(ranks)},
                                                    static_cast<int>(program.communicators.size()));
      if (added) program.communicators.push_back({place->first.second});
      own.push_back(place->second);
    }
  }
}

}  // namespace stepcast
