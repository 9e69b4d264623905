// When a schedule ends if every pass takes a fixed time and a message none.
#pragma once

#include <vector>

#include "models/pipeline_schedule.h"

namespace stepcast::test {

struct PassTimes {
  double forward = 1;
  double input_gradient = 1;
  double weight_gradient = 1;
  double together = 3;  ///< a forward and a whole backward pass in one slot
};

struct UniformRun {
  double end = 0;                ///< of the last slot of any stage
  std::vector<double> busy;      ///< [stage]
  std::vector<double> begin;     ///< [stage] of its first slot
  std::vector<double> finished;  ///< [stage] end of its last slot

  double largest_bubble() const;           ///< step less work
  double bubble_inside(int stage) const {  ///< between its first and its last slot
    const auto s = static_cast<std::size_t>(stage);
    return finished[s] - begin[s] - busy[s];
  }
};

/// Requires slots that can run: fails the test where stages wait for each other for ever.
UniformRun run_uniform(Schedule schedule, const PipelineShape& shape, const PassTimes& times);

/// The most chunk passes that a stage holds between forward pass and the end of the backward pass.
int most_in_flight(const std::vector<Slot>& slots);

}  // namespace stepcast::test
