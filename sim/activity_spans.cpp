#include "sim/activity_spans.h"

#include <algorithm>
#include <array>
#include <map>

namespace stepcast {
namespace {

struct Stretch {
  Activity activity;
  Seconds duration;
};

const std::vector<Span>& spans_of(const Timeline& timeline, int rank_class, Stream stream) {
  return timeline.ranks[static_cast<std::size_t>(rank_class)]
      .streams[static_cast<std::size_t>(stream)];
}

Seconds duration_of(const std::vector<Stretch>& stretches, Activity activity) {
  Seconds sum;
  for (const Stretch& stretch : stretches) {
    if (stretch.activity == activity) sum += stretch.duration;
  }
  return sum;
}

// Nothing but a block's collectives can be slowed; without any, what is left is rounding.
Activity slowed_activity(const std::vector<Stretch>& block) {
  for (const Activity activity : {Activity::TensorCommunication, Activity::ContextCommunication,
                                  Activity::ExpertCommunication}) {
    if (duration_of(block, activity) > Seconds()) return activity;
  }
  return block.empty() ? Activity::Other : block.back().activity;
}

constexpr std::array kReceiving{Stream::ReceiveForward, Stream::ReceiveBackward,
                                Stream::ReceiveForwardUp, Stream::ReceiveBackwardUp};

class RankActivities {
 public:
  RankActivities(const FoldedProgram& folded, const Timeline& timeline, int rank_class)
      : folded_(folded), timeline_(timeline), rank_class_(rank_class) {}

  std::vector<ActivitySpan> cut() {
    const auto& instructions = folded_.text(rank_class_).stream(Stream::Compute);
    for (const Span& span : spans_of(timeline_, rank_class_, Stream::Compute)) {
      add_until(span.begin, Activity::Other);
      add(instructions[static_cast<std::size_t>(span.instruction)], span);
    }
    add_until(timeline_.end(), Activity::Other);
    return std::move(spans_);
  }

 private:
  // From where the last stretch ended. No time, no stretch.
  void add_until(Seconds end, Activity activity) {
    if (end <= reached_) return;
    spans_.push_back({activity, reached_, end});
    reached_ = end;
  }

  void add(const Instruction& instruction, const Span& span) {
    switch (instruction.kind) {
      case InstructionKind::Call:
        add_block(block_stretches(instruction.index), span.end);
        break;
      case InstructionKind::Wait:
        add_wait(instruction.activity, span);
        break;
      case InstructionKind::Collective:
        add_collective(instruction.activity, span);
        break;
      default:
        add_until(span.end, instruction.activity);
    }
  }

  void add_block(const std::vector<Stretch>& block, Seconds end) {
    const Activity slowed = slowed_activity(block);
    Seconds alone;
    for (const Stretch& stretch : block) alone += stretch.duration;
    const Seconds slowed_alone = duration_of(block, slowed);
    const Seconds contention = (end - reached_) - alone;
    const double factor = slowed_alone > Seconds() ? 1.0 + contention / slowed_alone : 1.0;
    for (const Stretch& stretch : block) {
      const bool longer = stretch.activity == slowed;
      add_until(std::min(end, reached_ + stretch.duration * (longer ? factor : 1.0)),
                stretch.activity);
    }
    add_until(end, slowed);
  }

  // Neighbours of one activity are one stretch.
  const std::vector<Stretch>& block_stretches(int block) {
    const auto [place, added] = blocks_.try_emplace(block);
    if (!added) return place->second;
    std::vector<Stretch>& stretches = place->second;
    for (const Instruction& instruction :
         folded_.text(rank_class_).blocks[static_cast<std::size_t>(block)].body) {
      const Seconds duration = instruction_time(folded_, rank_class_, instruction);
      if (!stretches.empty() && stretches.back().activity == instruction.activity) {
        stretches.back().duration += duration;
      } else {
        stretches.push_back({instruction.activity, duration});
      }
    }
    return stretches;
  }

  void add_wait(Activity activity, const Span& span) {
    if (activity != Activity::PipelineBubble) {
      add_until(span.end, activity);
      return;
    }
    Seconds travelling;
    for (std::size_t i = 0; i < kReceiving.size(); ++i) {
      travelling = std::max(travelling, message_time(kReceiving[i], next_message_[i], span));
    }
    add_until(span.end - travelling, Activity::PipelineBubble);
    add_until(span.end, Activity::PipelineCommunication);
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
    add_until(span.flow_begin, across_stages ? Activity::PipelineBubble : activity);
    add_until(span.end, activity);
  }

  const FoldedProgram& folded_;
  const Timeline& timeline_;
  int rank_class_;
  std::vector<ActivitySpan> spans_;
  Seconds reached_;
  std::map<int, std::vector<Stretch>> blocks_;
  std::array<std::size_t, kReceiving.size()> next_message_{};
};

}  // namespace

std::vector<ActivitySpan> activity_spans(const FoldedProgram& folded, const Timeline& timeline,
                                         int rank_class) {
  return RankActivities(folded, timeline, rank_class).cut();
}

}  // namespace stepcast
