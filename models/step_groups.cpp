#include "models/step_groups.h"

#include <algorithm>
#include <utility>

#include "models/pipeline_schedule.h"

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

// The rank and, with two copies of the model, its twin on the stage as far from the other end, by
// stage.
std::vector<int> stages_with_weights_of(int rank, const TrainingJob& job, const RankGrid& grid) {
  if (model_copies(job.plan) == 1) return {rank};
  const int stage = grid.coordinate(rank, Axis::Pipeline);
  const int mirrored = grid.degree(Axis::Pipeline) - 1 - stage;
  const int twin = grid.neighbour(rank, Axis::Pipeline, mirrored - stage);
  return stage < mirrored ? std::vector{rank, twin} : std::vector{twin, rank};
}

std::vector<int> data_group(int rank, const TrainingJob& job, const RankGrid& grid) {
  std::vector<int> group;
  for (const int holder : stages_with_weights_of(rank, job, grid)) {
    const std::vector<int> ranks = grid.group_of(holder, {Axis::Data, Axis::Context});
    group.insert(group.end(), ranks.begin(), ranks.end());
  }
  return group;
}

// A stage's ranks in order, cut into experts' matrices, then experts, then copies of them, as
// Megatron does; copies before experts where the rank order names dp before ep.
class ExpertGrid {
 public:
  ExpertGrid(int rank, const ParallelPlan& plan, const RankGrid& grid)
      : ranks_(grid.group_of(rank, {Axis::Tensor, Axis::Context, Axis::Expert, Axis::Data})),
        matrix_(plan.expert_tensor_parallel),
        experts_(plan.expert_parallel),
        copies_(std::max(1, static_cast<int>(ranks_.size()) / (matrix_ * experts_))),
        experts_outside_(plan.rank_order.find("dp") < plan.rank_order.find("ep")) {
    place_ = static_cast<int>(std::find(ranks_.begin(), ranks_.end(), rank) - ranks_.begin());
  }

  std::vector<int> matrix() const { return line(1, matrix_); }
  std::vector<int> experts() const {
    return line(experts_outside_ ? matrix_ * copies_ : matrix_, experts_);
  }
  std::vector<int> copies() const {
    return line(experts_outside_ ? matrix_ : matrix_ * experts_, copies_);
  }

 private:
  // The ranks that differ from this one along one axis.
  std::vector<int> line(int stride, int length) const {
    const int first = place_ - place_ / stride % length * stride;
    std::vector<int> ranks;
    for (int i = 0; i < length; ++i) {
      ranks.push_back(ranks_[static_cast<std::size_t>(first + i * stride)]);
    }
    return ranks;
  }

  std::vector<int> ranks_;
  int matrix_;
  int experts_;
  int copies_;
  bool experts_outside_;
  int place_;
};

std::vector<int> expert_group(Group group, int rank, const TrainingJob& job, const RankGrid& grid) {
  if (!job.model.experts.used()) return {};
  const ParallelPlan& plan = job.plan;
  if (group == Group::Expert) return ExpertGrid(rank, plan, grid).experts();
  if (group == Group::ExpertTensor) return ExpertGrid(rank, plan, grid).matrix();
  std::vector<int> copies;
  for (const int holder : stages_with_weights_of(rank, job, grid)) {
    const std::vector<int> ranks = ExpertGrid(holder, plan, grid).copies();
    copies.insert(copies.end(), ranks.begin(), ranks.end());
  }
  return copies;
}

std::vector<int> up_pair(Group group, int rank, const TrainingJob& job, const RankGrid& grid) {
  if (chunk_path(job.plan) == ChunkPath::Loop) return {};
  const int below = grid.neighbour(rank, Axis::Pipeline, 1);
  const int above = grid.neighbour(rank, Axis::Pipeline, -1);
  switch (group) {
    case Group::SendForwardUp:
      return {rank, above};
    case Group::ReceiveForwardUp:
      return {below, rank};
    case Group::SendBackwardUp:
      return {rank, below};
    case Group::ReceiveBackwardUp:
      return {above, rank};
    default:
      return {};
  }
}

bool is_of_host(Group group) {
  return group == Group::ToHost || group == Group::FromHost || group == Group::HostMemory;
}

CommunicatorKind kind_of(Group group) {
  switch (group) {
    case Group::ToHost:
      return CommunicatorKind::ToHost;
    case Group::FromHost:
      return CommunicatorKind::FromHost;
    case Group::HostMemory:
      return CommunicatorKind::HostMemory;
    case Group::SendForward:
    case Group::ReceiveForward:
    case Group::SendBackward:
    case Group::ReceiveBackward:
    case Group::SendForwardUp:
    case Group::ReceiveForwardUp:
    case Group::SendBackwardUp:
    case Group::ReceiveBackwardUp:
      return CommunicatorKind::Pair;
    default:
      return CommunicatorKind::Group;
  }
}

// Whether such ranks talk to each other, or to a host that the plan offloads to.
bool talks(Group group, const std::vector<int>& ranks, const ParallelPlan& plan) {
  if (is_of_host(group)) return plan.offload.any();
  return ranks.size() >= 2 && ranks[0] != ranks[1];
}

// The local number by which `member`, at a place of its group's ranks, calls the group: the two
// ends of a pair have one each.
Group number_at(Group group, std::size_t place) {
  if (place == 0) return group;
  if (group == Group::SendForward) return Group::ReceiveForward;
  if (group == Group::SendBackward) return Group::ReceiveBackward;
  if (group == Group::SendForwardUp) return Group::ReceiveForwardUp;
  if (group == Group::SendBackwardUp) return Group::ReceiveBackwardUp;
  return group;
}

}  // namespace

std::vector<int> group_ranks(Group group, int rank, const TrainingJob& job, const RankGrid& grid,
                             int head_stage) {
  const int shard = job.plan.shard_group;
  const auto next = [&](int offset) { return grid.neighbour(rank, Axis::Pipeline, offset); };
  switch (group) {
    case Group::Tensor:
      return grid.group_of(rank, {Axis::Tensor});
    case Group::Context:
      return grid.group_of(rank, {Axis::Context});
    case Group::Data:
      return data_group(rank, job, grid);
    case Group::Shard:
      return shard > 0 ? part_of(data_group(rank, job, grid), rank, shard, true)
                       : data_group(rank, job, grid);
    case Group::Replica:
      return shard > 0 ? part_of(data_group(rank, job, grid), rank, shard, false)
                       : std::vector<int>{rank};
    case Group::Expert:
    case Group::ExpertTensor:
    case Group::ExpertData:
      return expert_group(group, rank, job, grid);
    case Group::Model:
      return grid.group_of(rank, {Axis::Tensor, Axis::Pipeline});
    case Group::Embedding:
      return embedding_pair(rank, job, grid, head_stage);
    case Group::ToHost:
    case Group::FromHost:
    case Group::HostMemory:
      return {rank};
    case Group::SendForward:
      return {rank, next(1)};
    case Group::ReceiveForward:
      return {next(-1), rank};
    case Group::SendBackward:
      return {rank, next(-1)};
    case Group::ReceiveBackward:
      return {next(1), rank};
    default:
      break;
  }
  return up_pair(group, rank, job, grid);
}

void add_groups(const TrainingJob& job, const RankGrid& grid, int head_stage,
                StepProgram& program) {
  auto& numbers = program.communicators_of_rank;
  numbers.assign(static_cast<std::size_t>(grid.num_ranks()), std::vector<int>(kNumGroups, -1));
  const auto number = [&](int rank, Group group) -> int& {
    return numbers[static_cast<std::size_t>(rank)][static_cast<std::size_t>(group)];
  };
  for (int g = 0; g < kNumGroups; ++g) {
    const Group group = static_cast<Group>(g);
    for (int rank = 0; rank < grid.num_ranks(); ++rank) {
      if (number(rank, group) >= 0) continue;  // a member before it has brought the group
      std::vector<int> ranks = group_ranks(group, rank, job, grid, head_stage);
      if (!talks(group, ranks, job.plan)) continue;
      for (std::size_t place = 0; place < ranks.size(); ++place) {
        number(ranks[place], number_at(group, place)) =
            static_cast<int>(program.communicators.size());
      }
      const bool over_replicas = group == Group::Data || group == Group::Shard ||
                                 group == Group::Replica || group == Group::ExpertData;
      program.communicators.push_back({std::move(ranks), kind_of(group), over_replicas});
    }
  }
}

}  // namespace stepcast
