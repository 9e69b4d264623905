#include "topology/placement.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/contract.h"

namespace stepcast {

namespace {

std::size_t index(Axis axis) { return static_cast<std::size_t>(axis); }

}  // namespace

RankGrid::RankGrid(std::array<int, kNumAxes> degree, RankOrder order) : degree_(degree), stride_{} {
  for (const Axis axis : order) {
    STEPCAST_REQUIRES(degree_[index(axis)] >= 1);
    STEPCAST_REQUIRES(stride_[index(axis)] == 0);  // no axis twice
    stride_[index(axis)] = num_ranks_;
    num_ranks_ *= degree_[index(axis)];
  }
}

int RankGrid::coordinate(int rank, Axis axis) const {
  STEPCAST_REQUIRES(rank >= 0 && rank < num_ranks_);
  return rank / stride_[index(axis)] % degree_[index(axis)];
}

int RankGrid::rank_at(const std::array<int, kNumAxes>& coordinates) const {
  int rank = 0;
  for (std::size_t axis = 0; axis < coordinates.size(); ++axis) {
    STEPCAST_REQUIRES(coordinates[axis] >= 0 && coordinates[axis] < degree_[axis]);
    rank += coordinates[axis] * stride_[axis];
  }
  return rank;
}

std::vector<int> RankGrid::group_of(int rank, std::initializer_list<Axis> axes) const {
  std::vector<Axis> slowest_last(axes);
  std::sort(slowest_last.begin(), slowest_last.end(),
            [this](Axis a, Axis b) { return stride_[index(a)] < stride_[index(b)]; });
  int first = rank;
  for (const Axis axis : axes) first -= coordinate(rank, axis) * stride_[index(axis)];
  std::vector<int> group{first};
  // Each axis repeats what the faster ones gave, further up: the group stays in rank order.
  for (const Axis axis : slowest_last) {
    const std::size_t faster = group.size();
    for (int step = 1; step < degree(axis); ++step) {
      for (std::size_t i = 0; i < faster; ++i) {
        group.push_back(group[i] + step * stride_[index(axis)]);
      }
    }
  }
  return group;
}

int RankGrid::neighbour(int rank, Axis axis, int offset) const {
  const int here = coordinate(rank, axis);
  const int turns = (here + offset) % degree(axis);
  const int there = turns < 0 ? turns + degree(axis) : turns;
  return rank + (there - here) * stride_[index(axis)];
}

int Placement::data_parallel() const {
  if (replicas.empty()) return grid.degree(Axis::Data);
  return std::accumulate(
      replicas.begin(), replicas.end(), 0,
      [](int sum, const PlacedReplica& replica) { return sum + replica.copies; });
}

int Placement::num_ranks() const {
  return grid.num_ranks() / grid.degree(Axis::Data) * data_parallel();
}

int Placement::copies_of(int rank) const {
  if (replicas.empty()) return 1;
  return replicas[static_cast<std::size_t>(grid.coordinate(rank, Axis::Data))].copies;
}

int Placement::number_in_job(int rank) const {
  if (replicas.empty()) return rank;
  const PlacedReplica& placed =
      replicas[static_cast<std::size_t>(grid.coordinate(rank, Axis::Data))];
  return number_in_replica(rank, placed.number);
}

int Placement::number_in_replica(int rank, int replica) const {
  const int stages = grid.degree(Axis::Pipeline);
  const int ranks = grid.num_ranks() / stages / grid.degree(Axis::Data);  // of a replica in a stage
  const int stage = grid.coordinate(rank, Axis::Pipeline);
  return (stage * data_parallel() + replica) * ranks + rank % ranks;
}

Placement place_ranks(const RankGrid& grid, const Cluster& cluster,
                      std::vector<PlacedReplica> replicas) {
  STEPCAST_REQUIRES(grid.num_ranks() <= cluster.num_gpus());
  std::vector<GpuId> gpu_of_rank(static_cast<std::size_t>(grid.num_ranks()));
  std::iota(gpu_of_rank.begin(), gpu_of_rank.end(), 0);
  return {grid, std::move(gpu_of_rank), std::move(replicas)};
}

}  // namespace stepcast
