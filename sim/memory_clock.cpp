#include "sim/memory_clock.h"

#include "sim/fusing.h"

namespace stepcast {

MemoryClock::MemoryClock(const FoldedProgram& folded, int rank_class, const Timeline& timeline)
    : folded_(folded),
      rank_class_(rank_class),
      spans_(timeline.ranks[static_cast<std::size_t>(rank_class)]
                 .streams[static_cast<std::size_t>(Stream::Compute)]),
      shares_(folded.text(rank_class).blocks.size()) {}

Seconds MemoryClock::time(const MemorySlot& slot, const MemoryEvent& event) {
  const int instruction = slot.first_instruction + event.instruction;
  for (; next_span_ < spans_.size() && spans_[next_span_].instruction < instruction; ++next_span_) {
    now_ = spans_[next_span_].end;
  }
  const bool timed = next_span_ < spans_.size() && spans_[next_span_].instruction == instruction;
  if (!timed || event.place < 0) return now_;
  const Span& span = spans_[next_span_];
  const Instruction& call =
      folded_.text(rank_class_).stream(Stream::Compute)[static_cast<std::size_t>(instruction)];
  return span.begin + (span.end - span.begin) * share_before(call.index, event.place);
}

double MemoryClock::share_before(int block, int place) {
  std::vector<double>& shares = shares_[static_cast<std::size_t>(block)];
  if (shares.empty()) {
    double sum = 0.0;
    shares.push_back(0.0);
    for (const Instruction& instruction :
         folded_.text(rank_class_).blocks[static_cast<std::size_t>(block)].body) {
      sum += instruction_time(folded_, rank_class_, instruction).value();
      shares.push_back(sum);
    }
    if (sum > 0.0) {
      for (double& share : shares) share /= sum;
    }
  }
  return shares[static_cast<std::size_t>(place)];
}

}  // namespace stepcast
