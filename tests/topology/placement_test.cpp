#include "topology/placement.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tests/topology/small_clusters.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

// Degrees in the order of Axis: tensor, context, expert, data, pipeline.
using Degrees = std::array<int, kNumAxes>;

constexpr RankOrder pipeline_before_data{Axis::Tensor, Axis::Context, Axis::Expert, Axis::Pipeline,
                                         Axis::Data};
constexpr RankOrder reversed_order{Axis::Pipeline, Axis::Data, Axis::Expert, Axis::Context,
                                   Axis::Tensor};
constexpr std::array<Axis, kNumAxes> all_axes = kMegatronOrder;

}  // namespace

TEST_CASE("Megatron's order: tensor varies fastest, then data, then pipeline", "[topology]") {
  const RankGrid grid(Degrees{2, 1, 1, 3, 4}, kMegatronOrder);
  CHECK(grid.num_ranks() == 24);
  // 17 = 1 + 2 * (2 + 3 * 2)
  CHECK(grid.coordinate(17, Axis::Tensor) == 1);
  CHECK(grid.coordinate(17, Axis::Data) == 2);
  CHECK(grid.coordinate(17, Axis::Pipeline) == 2);
  CHECK(grid.coordinate(17, Axis::Expert) == 0);
  CHECK(grid.group_of(17, {Axis::Tensor}) == std::vector<int>{16, 17});
  CHECK(grid.group_of(17, {Axis::Data}) == std::vector<int>{13, 15, 17});
  CHECK(grid.group_of(17, {Axis::Pipeline}) == std::vector<int>{5, 11, 17, 23});
  CHECK(grid.group_of(17, {Axis::Data, Axis::Tensor}) == std::vector<int>{12, 13, 14, 15, 16, 17});
  CHECK(grid.group_of(17, {}) == std::vector<int>{17});
}

TEST_CASE("another order moves the strides", "[topology]") {
  const RankGrid grid(Degrees{2, 1, 1, 3, 4}, pipeline_before_data);
  // 17 = 1 + 2 * (0 + 4 * 2)
  CHECK(grid.coordinate(17, Axis::Pipeline) == 0);
  CHECK(grid.coordinate(17, Axis::Data) == 2);
  CHECK(grid.group_of(17, {Axis::Data}) == std::vector<int>{1, 9, 17});
  CHECK(grid.group_of(17, {Axis::Pipeline}) == std::vector<int>{17, 19, 21, 23});
}

TEST_CASE("neighbours wrap round", "[topology]") {
  const RankGrid grid(Degrees{2, 1, 1, 3, 4}, kMegatronOrder);
  CHECK(grid.neighbour(17, Axis::Pipeline, 1) == 23);
  CHECK(grid.neighbour(23, Axis::Pipeline, 1) == 5);
  CHECK(grid.neighbour(5, Axis::Pipeline, -1) == 23);
  CHECK(grid.neighbour(5, Axis::Pipeline, -9) == 23);
  CHECK(grid.neighbour(5, Axis::Context, 1) == 5);
}

TEST_CASE("groups partition the ranks, whatever the order", "[topology]") {
  const Degrees degrees =
      GENERATE(values<Degrees>({{2, 2, 2, 3, 4}, {1, 1, 1, 1, 1}, {8, 1, 1, 5, 1}}));
  const RankOrder order =
      GENERATE(values<RankOrder>({kMegatronOrder, pipeline_before_data, reversed_order}));
  const RankGrid grid(degrees, order);
  for (const Axis a : all_axes) {
    for (const Axis b : all_axes) {
      if (a == b) continue;
      std::multiset<int> ranks;
      for (int rank = 0; rank < grid.num_ranks(); ++rank) {
        const std::vector<int> group = grid.group_of(rank, {a, b});
        REQUIRE(std::is_sorted(group.begin(), group.end()));
        REQUIRE(static_cast<int>(group.size()) == grid.degree(a) * grid.degree(b));
        for (const int member : group) REQUIRE(grid.group_of(member, {b, a}) == group);
        if (group.front() == rank) ranks.insert(group.begin(), group.end());
      }
      REQUIRE(static_cast<int>(ranks.size()) == grid.num_ranks());
      REQUIRE(std::set<int>(ranks.begin(), ranks.end()).size() == ranks.size());
    }
  }
}

TEST_CASE("coordinates and ranks are two names of one place", "[topology]") {
  const RankOrder order =
      GENERATE(values<RankOrder>({kMegatronOrder, pipeline_before_data, reversed_order}));
  const RankGrid grid(Degrees{2, 2, 2, 3, 4}, order);
  for (int rank = 0; rank < grid.num_ranks(); ++rank) {
    std::array<int, kNumAxes> coordinates{};
    for (const Axis axis : all_axes) {
      coordinates[static_cast<std::size_t>(axis)] = grid.coordinate(rank, axis);
      REQUIRE(grid.neighbour(grid.neighbour(rank, axis, 1), axis, -1) == rank);
    }
    REQUIRE(grid.rank_at(coordinates) == rank);
  }
}

TEST_CASE("ranks take GPUs in order", "[topology]") {
  const Cluster cluster = cluster_of(2, nvswitch_node());
  const Placement placement = place_ranks(RankGrid({4, 1, 1, 3, 1}, kMegatronOrder), cluster);
  CHECK(placement.gpu_of_rank == std::vector<GpuId>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  CHECK(placement.grid.degree(Axis::Data) == 3);
}
