#include "sim/timeline.h"

#include <algorithm>

namespace stepcast {

Seconds Timeline::end() const {
  Seconds latest;
  for (const RankTimeline& rank : ranks) {
    for (const std::vector<Span>& spans : rank.streams) {
      if (!spans.empty()) latest = std::max(latest, spans.back().end);
    }
  }
  return latest;
}

}  // namespace stepcast
