// When a rank's memory events happen.
#pragma once

#include <vector>

#include "sim/folding.h"
#include "sim/memory_events.h"
#include "sim/timeline.h"

namespace stepcast {

/// An event of the stream itself happens when the timed instruction before it has ended. Inside a
/// block, of which the timeline knows begin and end only, it happens where the block would be if
/// every instruction of it were stretched alike.
class MemoryClock {
 public:
  /// `folded` and `timeline` must outlive this.
  MemoryClock(const FoldedProgram& folded, int rank_class, const Timeline& timeline);

  /// Events are asked for in the order of the stream.
  Seconds time(const MemorySlot& slot, const MemoryEvent& event);

 private:
  double share_before(int block, int place);

  const FoldedProgram& folded_;
  int rank_class_;
  const std::vector<Span>& spans_;
  std::size_t next_span_ = 0;
  Seconds now_;
  std::vector<std::vector<double>> shares_;  // [block][place]: of its alone time
};

}  // namespace stepcast
