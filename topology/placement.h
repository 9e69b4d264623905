// Which rank sits where: the grid of parallel degrees, the order in which ranks are numbered, and
// the groups that communicate.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <vector>

#include "topology/cluster.h"

namespace stepcast {

enum class Axis { Tensor, Context, Expert, Data, Pipeline };
inline constexpr int kNumAxes = 5;

/// As in "tp-cp-ep-dp-pp": the first axis varies fastest from rank to rank.
using RankOrder = std::array<Axis, kNumAxes>;
inline constexpr RankOrder kMegatronOrder{Axis::Tensor, Axis::Context, Axis::Expert, Axis::Data,
                                          Axis::Pipeline};

class RankGrid {
 public:
  /// `degree[axis]` ranks along each axis. Requires every degree >= 1 and `order` a permutation.
  RankGrid(std::array<int, kNumAxes> degree, RankOrder order);

  int num_ranks() const { return num_ranks_; }
  int degree(Axis axis) const { return degree_[static_cast<std::size_t>(axis)]; }
  int coordinate(int rank, Axis axis) const;
  int rank_at(const std::array<int, kNumAxes>& coordinates) const;

  /// The ranks that agree with `rank` on every axis but `axes`, in rank order, `rank` among them.
  std::vector<int> group_of(int rank, std::initializer_list<Axis> axes) const;

  /// The rank `offset` places further along `axis` (may be negative), wrapping round.
  int neighbour(int rank, Axis axis, int offset) const;

 private:
  std::array<int, kNumAxes> degree_;
  std::array<int, kNumAxes> stride_;
  int num_ranks_ = 1;
};

/// A data-parallel replica that is placed, and how many of the job it stands for, itself included.
struct PlacedReplica {
  int number;  ///< in the job
  int copies;
};

/// Rank r runs on GPU gpu_of_rank[r]. Where replicas are alike, a job may be placed with few of
/// them; pipeline is then the slowest axis of its rank order, data the next.
struct Placement {
  RankGrid grid;
  std::vector<GpuId> gpu_of_rank;
  std::vector<PlacedReplica> replicas = {};  ///< [data coordinate]; empty: all are placed

  /// Data-parallel degree of the whole job.
  int data_parallel() const;
  /// Ranks of the whole job.
  int num_ranks() const;
  /// How many ranks of the job a placed one stands for, and its number there.
  int copies_of(int rank) const;
  int number_in_job(int rank) const;
  /// The number of the job's rank at the same place of replica `replica`.
  int number_in_replica(int rank, int replica) const;
};

/// Ranks in order on GPUs in order. Requires grid.num_ranks() <= cluster.num_gpus().
Placement place_ranks(const RankGrid& grid, const Cluster& cluster,
                      std::vector<PlacedReplica> replicas = {});

}  // namespace stepcast
