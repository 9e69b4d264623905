#include <fmt/format.h>
#include <fmt/ranges.h>

#include <numeric>

#include "base/input_error.h"
#include "topology/fabric.h"

namespace stepcast {

namespace {

/// Nodes numbered with the first dimension fastest.
class Grid {
 public:
  explicit Grid(const std::vector<int>& sizes) : sizes_(sizes) {
    int stride = 1;
    for (const int size : sizes) {
      strides_.push_back(stride);
      stride *= size;
    }
    places_ = stride;
  }

  int places() const { return places_; }
  std::size_t dimensions() const { return sizes_.size(); }
  int size(std::size_t dimension) const { return sizes_[dimension]; }
  int coordinate(int place, std::size_t dimension) const {
    return place / strides_[dimension] % sizes_[dimension];
  }
  int moved(int place, std::size_t dimension, int to) const {
    return place + (to - coordinate(place, dimension)) * strides_[dimension];
  }

 private:
  std::vector<int> sizes_;
  std::vector<int> strides_;
  int places_ = 1;
};

/// [place][dimension] -> link to the next place that way; the one after it leads back. -1: none.
using Cables = std::vector<std::vector<int>>;

Cables add_cables(Fabric& fabric, const Grid& grid, BytesPerSecond bandwidth) {
  Cables cables;
  for (int place = 0; place < grid.places(); ++place) {
    std::vector<int>& of_place = cables.emplace_back(grid.dimensions(), -1);
    for (std::size_t d = 0; d < grid.dimensions(); ++d) {
      const int here = grid.coordinate(place, d);
      // Two nodes along a dimension are joined once.
      if (grid.size(d) == 1 || (grid.size(d) == 2 && here == 1)) continue;
      const int next = grid.moved(place, d, (here + 1) % grid.size(d));
      of_place[d] = fabric.add_cable(place, next, bandwidth);
    }
  }
  return cables;
}

std::vector<int> path_between(const Grid& grid, const Cables& cables, int from, int to) {
  std::vector<int> path;
  const auto cable = [&](int place, std::size_t d) {
    return cables[static_cast<std::size_t>(place)][d];
  };
  for (std::size_t d = 0; d < grid.dimensions(); ++d) {
    const int size = grid.size(d);
    const int ahead = (grid.coordinate(to, d) - grid.coordinate(from, d) + size) % size;
    const bool forward = 2 * ahead <= size;
    for (int step = 0; step < (forward ? ahead : size - ahead); ++step) {
      const int here = grid.coordinate(from, d);
      const int next = grid.moved(from, d, (here + (forward ? 1 : size - 1)) % size);
      const bool own = forward && cable(from, d) >= 0;
      path.push_back(own ? cable(from, d) : cable(next, d) + 1);
      from = next;
    }
  }
  return path;
}

}  // namespace

Fabric build_torus(const FabricSpec& spec, int nodes) {
  const Grid grid(spec.torus_dimensions);
  if (grid.places() < nodes) {
    throw InputError({.file = {}, .pointer = "/cluster/fabric/torus_dimensions"},
                     fmt::format("{} nodes have no place in a torus of {}", nodes,
                                 fmt::join(spec.torus_dimensions, " x ")),
                     fmt::format("it has {} places", grid.places()));
  }
  Fabric fabric;
  fabric.nics_per_node = spec.nics_per_node;
  fabric.nic_bandwidth = spec.nic_bandwidth * spec.nic_efficiency;
  for (int place = 0; place < grid.places(); ++place) {
    fabric.add_switch("router" + std::to_string(place));
  }
  for (int node = 0; node < nodes; ++node) {
    fabric.leaf_of_nic.insert(fabric.leaf_of_nic.end(),
                              static_cast<std::size_t>(spec.nics_per_node), node);
  }
  const Cables cables =
      add_cables(fabric, grid, fabric.nic_bandwidth * spec.nics_per_node / spec.oversubscription);
  fabric.path = [grid, cables](int from, int to, std::uint64_t) {
    return path_between(grid, cables, from, to);
  };
  return fabric;
}

}  // namespace stepcast
