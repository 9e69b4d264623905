#include "tests/support/timelines.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace stepcast::test {
namespace {

std::map<int, Seconds> ends_of(const std::vector<Span>& spans) {
  std::map<int, Seconds> ends;
  for (const Span& span : spans) ends[span.instruction] = span.end;
  return ends;
}

const std::vector<Span>& spans_of(const FoldedProgram& folded, const Timeline& timeline,
                                  std::size_t rank, std::size_t stream) {
  const auto rank_class = static_cast<std::size_t>(folded.class_of_rank[rank]);
  return timeline.ranks[rank_class].streams[stream];
}

}  // namespace

TimelineComparison compare(const FoldedProgram& folded_a, const Timeline& a,
                           const FoldedProgram& folded_b, const Timeline& b) {
  TimelineComparison result;
  const double step = std::max(a.end(), b.end()).value();
  for (std::size_t rank = 0; rank < folded_a.class_of_rank.size(); ++rank) {
    for (std::size_t stream = 0; stream < kNumStreams; ++stream) {
      const std::map<int, Seconds> in_b = ends_of(spans_of(folded_b, b, rank, stream));
      for (const Span& span : spans_of(folded_a, a, rank, stream)) {
        const auto place = in_b.find(span.instruction);
        if (place == in_b.end()) continue;
        const double difference = (place->second - span.end).value() / step;
        result.largest_difference = std::max(result.largest_difference, std::abs(difference));
        result.first_earlier = std::max(result.first_earlier, -difference);
        ++result.spans;
      }
    }
  }
  return result;
}

}  // namespace stepcast::test
