// A rank's step as stretches of time, each spent on one activity: what the breakdown adds up and a
// trace draws.
#pragma once

#include <vector>

#include "sim/fusing.h"
#include "sim/timeline.h"

namespace stepcast {

struct ActivitySpan {
  Activity activity;
  Seconds begin;
  Seconds end;
};

/// The compute stream of a rank class from the beginning to the end of the step, without gaps.
///
/// A wait counts as what it waits for; a wait for a pipeline message is communication while the
/// message travels and bubble before; a collective over all stages counts as bubble until the last
/// rank has come. Inside a block the parts follow one another, and what the block took beyond them
/// is contention: its collectives are longer by the same factor each.
std::vector<ActivitySpan> activity_spans(const FoldedProgram& folded, const Timeline& timeline,
                                         int rank_class);

}  // namespace stepcast
