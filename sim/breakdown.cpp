#include "sim/breakdown.h"

#include <algorithm>
#include <map>

namespace stepcast {
namespace {

using Parts = std::array<Seconds, kNumActivities>;

Seconds& part_of(Parts& parts, Activity activity) {
  return parts[static_cast<std::size_t>(activity)];
}

const std::vector<Span>& spans_of(const Timeline& timeline, int rank_class, Stream stream) {
  return timeline.ranks[static_cast<std::size_t>(rank_class)]
      .streams[static_cast<std::size_t>(stream)];
}

Seconds end_of(const Timeline& timeline, int rank_class) {
  const std::vector<Span>& spans = spans_of(timeline, rank_class, Stream::Compute);
  return spans.empty() ? Seconds() : spans.back().end;
}

int critical_class(const Timeline& timeline) {
  int critical = 0;
  for (int r = 1; r < static_cast<int>(timeline.ranks.size()); ++r) {
    if (end_of(timeline, r) > end_of(timeline, critical)) critical = r;
  }
  return critical;
}

class RankBreakdown {
 public:
  RankBreakdown(const FoldedProgram& folded, const Timeline& timeline, int rank_class)
      : folded_(folded), timeline_(timeline), rank_class_(rank_class) {}

  Parts cut(Seconds step_end) {
    const auto& instructions = folded_.text(rank_class_).stream(Stream::Compute);
    Seconds covered;
    for (const Span& span : spans_of(timeline_, rank_class_, Stream::Compute)) {
      add(instructions[static_cast<std::size_t>(span.instruction)], span);
      covered += span.end - span.begin;
    }
    part_of(parts_, Activity::Other) += step_end - covered;
    return parts_;
  }

 private:
  void add(const Instruction& instruction, const Span& span) {
    switch (instruction.kind) {
      case InstructionKind::Call:
        add_block(instruction.index, span.end - span.begin);
        break;
      case InstructionKind::Wait:
        add_wait(instruction.activity, span);
        break;
      case InstructionKind::Collective:
        add_collective(instruction.activity, span);
        break;
      default:
        part_of(parts_, instruction.activity) += span.end - span.begin;
    }
  }

  // What a block took beyond its parts alone is contention on its collectives.
  void add_block(int block, Seconds took) {
    const Parts& alone = block_parts(block);
    Seconds sum;
    for (std::size_t a = 0; a < alone.size(); ++a) {
      parts_[a] += alone[a];
      sum += alone[a];
    }
    part_of(parts_, slowed_part(alone)) += took - sum;
  }

  // Nothing but a block's collectives can be slowed; without any, what is left is rounding.
  static Activity slowed_part(Parts alone) {
    for (const Activity activity :
         {Activity::TensorCommunication, Activity::ContextCommunication}) {
      if (part_of(alone, activity) > Seconds()) return activity;
    }
    return Activity::Compute;
  }

  const Parts& block_parts(int block) {
    const auto [place, added] = blocks_.try_emplace(block);
    if (!added) return place->second;
    for (const Instruction& instruction :
         folded_.text(rank_class_).blocks[static_cast<std::size_t>(block)].body) {
      part_of(place->second, instruction.activity) +=
          instruction_time(folded_, rank_class_, instruction);
    }
    return place->second;
  }

  void add_wait(Activity activity, const Span& span) {
    if (activity != Activity::PipelineBubble) {
      part_of(parts_, activity) += span.end - span.begin;
      return;
    }
    const Seconds travelling = message_time(Stream::ReceiveForward, next_forward_, span) +
                               message_time(Stream::ReceiveBackward, next_backward_, span);
    part_of(parts_, Activity::PipelineCommunication) += travelling;
    part_of(parts_, Activity::PipelineBubble) += span.end - span.begin - travelling;
  }

  // The time inside `wait` in which the message that ended it travelled. Waits come in time order.
  Seconds message_time(Stream stream, std::size_t& next, const Span& wait) const {
    const std::vector<Span>& messages = spans_of(timeline_, rank_class_, stream);
    while (next < messages.size() && messages[next].end < wait.end) ++next;
    if (next == messages.size() || messages[next].end > wait.end) return Seconds();
    return std::max(Seconds(), wait.end - std::max(wait.begin, messages[next].flow_begin));
  }

  // Ranks of other stages are waited for in the collectives of the optimizer step.
  void add_collective(Activity activity, const Span& span) {
    const bool across_stages = activity == Activity::Optimizer;
    part_of(parts_, across_stages ? Activity::PipelineBubble : activity) +=
        span.flow_begin - span.begin;
    part_of(parts_, activity) += span.end - span.flow_begin;
  }

  const FoldedProgram& folded_;
  const Timeline& timeline_;
  int rank_class_;
  Parts parts_{};
  std::map<int, Parts> blocks_;
  std::size_t next_forward_ = 0;
  std::size_t next_backward_ = 0;
};

}  // namespace

Breakdown break_down(const FoldedProgram& folded, const Timeline& timeline) {
  Breakdown breakdown;
  breakdown.rank_class = critical_class(timeline);
  breakdown.parts = RankBreakdown(folded, timeline, breakdown.rank_class).cut(timeline.end());
  return breakdown;
}

}  // namespace stepcast
