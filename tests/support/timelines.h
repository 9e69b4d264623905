// Comparing timelines of different partitions of the same step.
#pragma once

#include "sim/folding.h"
#include "sim/timeline.h"

namespace stepcast::test {

struct TimelineComparison {
  std::size_t spans = 0;          ///< how many were compared
  double largest_difference = 0;  ///< of any end, relative to the step
  double first_earlier =
      0;  ///< how much earlier `b` ended anything than `a`, relative: the largest
};

/// Compares every instruction of every rank. Requires both to come from the same program; waits
/// that took no time in one of them are left out.
TimelineComparison compare(const FoldedProgram& folded_a, const Timeline& a,
                           const FoldedProgram& folded_b, const Timeline& b);

}  // namespace stepcast::test
