#include "sim/breakdown.h"

#include "sim/activity_spans.h"

namespace stepcast {
namespace {

Seconds end_of(const Timeline& timeline, int rank_class) {
  const std::vector<Span>& spans = timeline.ranks[static_cast<std::size_t>(rank_class)]
                                       .streams[static_cast<std::size_t>(Stream::Compute)];
  return spans.empty() ? Seconds() : spans.back().end;
}

int critical_class(const Timeline& timeline) {
  int critical = 0;
  for (int r = 1; r < static_cast<int>(timeline.ranks.size()); ++r) {
    if (end_of(timeline, r) > end_of(timeline, critical)) critical = r;
  }
  return critical;
}

}  // namespace

Breakdown break_down(const FoldedProgram& folded, const Timeline& timeline) {
  Breakdown breakdown;
  breakdown.rank_class = critical_class(timeline);
  for (const ActivitySpan& span : activity_spans(folded, timeline, breakdown.rank_class)) {
    breakdown.parts[static_cast<std::size_t>(span.activity)] += span.end - span.begin;
  }
  return breakdown;
}

}  // namespace stepcast
