// What ran when: the one result of both engines.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/units.h"
#include "models/step_program.h"

namespace stepcast {

/// One instruction's run: from the moment its stream reached it and what it needed was there, to
/// its end. For collectives and messages `begin` is when the stream arrived and `flow_begin` when
/// the last partner had (after that comes latency, then the flow).
struct Span {
  std::int32_t instruction;  ///< position in the stream
  Seconds begin;
  Seconds flow_begin;
  Seconds end;
};

struct RankTimeline {
  std::array<std::vector<Span>, kNumStreams>
      streams;  ///< Compute, Collective, Send, Receive, Call and Wait only
};

/// Times of the representative rank of every class. Classes are numbered as in the folded program.
struct Timeline {
  std::vector<RankTimeline> ranks;
  std::int64_t activities = 0;  ///< instructions that took simulated time
  bool certified = false;       ///< analytic times proven to be the event engine's
  Seconds end() const;
};

}  // namespace stepcast
