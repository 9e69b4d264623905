#include "sim/search/layout_walk.h"

#include <algorithm>

#include "base/contract.h"

namespace stepcast {

SlotOrder slot_order(Schedule schedule, const PipelineShape& shape, const LayoutText& text) {
  SlotOrder order(static_cast<std::size_t>(shape.stages));
  for (int stage = 0; stage < shape.stages; ++stage) {
    std::vector<int>& sections = order[static_cast<std::size_t>(stage)];
    for (const Slot& slot : stage_slots(schedule, shape, stage)) {
      sections.push_back(text.section_of(slot, shape.micro_batches));
    }
    sections.push_back(text.last_section());
  }
  return order;
}

Seconds LayoutWalk::run(const LayoutText& text, const SlotOrder& order) {
  reset(text);
  std::size_t done = 0;
  while (done < order.size()) {
    bool moved = false;
    done = 0;
    for (std::size_t stage = 0; stage < order.size(); ++stage) {
      if (stages_[stage].slot < order[stage].size()) {
        moved = advance(stage, text, order[stage]) || moved;
      }
      if (stages_[stage].slot == order[stage].size()) ++done;
    }
    STEPCAST_REQUIRES(moved);
  }
  double end = 0;
  for (const StageState& state : stages_) {
    end = std::max(end, *std::max_element(state.clocks.begin(), state.clocks.end()));
  }
  return Seconds(end);
}

void LayoutWalk::reset(const LayoutText& text) {
  stages_.assign(text.stages.size(), {});
  meetings_.assign(text.meeting_sizes.size(), {});
  if (channels_.size() < text.meeting_sizes.size()) channels_.resize(text.meeting_sizes.size());
  for (Channel& channel : channels_) {
    channel.arrivals.clear();
    channel.received = 0;
    channel.free_at = 0;
  }
  events_.resize(text.stages.size() * static_cast<std::size_t>(text.num_events));
}

// Walks the stage's slots until one has to wait for another stage; false if it did not get on.
bool LayoutWalk::advance(std::size_t stage, const LayoutText& text, const std::vector<int>& order) {
  StageState& state = stages_[stage];
  const Section* const sections = text.stages[stage].data();
  const ClockInstruction* const instructions = text.instructions.data();
  double* const clocks = state.clocks.data();
  double* const events = events_.data() + stage * static_cast<std::size_t>(text.num_events);
  bool moved = false;
  for (; state.slot < order.size(); ++state.slot, state.resume_at = nullptr, moved = true) {
    const Section& section = sections[order[state.slot]];
    const ClockInstruction* const end = instructions + section.end;
    const ClockInstruction* now = state.resume_at ? state.resume_at : instructions + section.begin;
    for (; now != end; ++now) {
      const auto index = static_cast<std::size_t>(now->index);
      double& clock = clocks[now->stream];
      double& other = clocks[now->other];
      switch (now->kind) {
        case ClockKind::Advance:
          clock += now->time;
          break;
        case ClockKind::Follow:
          clock = std::max(clock, other);
          break;
        case ClockKind::Note:
          events[index] = clock;
          break;
        case ClockKind::Wait:
          clock = std::max(clock, events[index]);
          break;
        case ClockKind::Send:
          clock = channels_[index].send(std::max(clock, other), now->time);
          break;
        case ClockKind::SendAndWait:
          other = clock = channels_[index].send(std::max(clock, other), now->time);
          break;
        case ClockKind::Receive:
          if (!channels_[index].has_arrived()) return wait_at(state, now, moved);
          clock = channels_[index].receive();
          other = std::max(other, clock) + now->time;
          break;
        case ClockKind::Meet:
          if (!meet(state, *now, text.meeting_sizes[index])) return wait_at(state, now, moved);
          break;
      }
    }
  }
  return moved;
}

bool LayoutWalk::wait_at(StageState& state, const ClockInstruction* instruction, bool moved) {
  moved = moved || state.resume_at != instruction;
  state.resume_at = instruction;
  return moved;
}

// False while others have not come.
bool LayoutWalk::meet(StageState& state, const ClockInstruction& instruction, int size) {
  Meeting& meeting = meetings_[static_cast<std::size_t>(instruction.index)];
  double& clock = state.clocks[instruction.stream];
  if (state.meeting_round < 0) {
    state.meeting_round = meeting.round;
    meeting.latest = meeting.arrived == 0 ? clock : std::max(meeting.latest, clock);
    if (++meeting.arrived == size) {
      meeting.end = meeting.latest + instruction.time;
      meeting.arrived = 0;
      ++meeting.round;
    }
  }
  if (meeting.round == state.meeting_round) return false;
  clock = meeting.end;
  state.meeting_round = -1;
  return true;
}

namespace {

// What a slot of chunk 0 keeps the stage busy for at least, whichever micro-batch's it is.
double least_busy(const LayoutText& text, std::size_t stage, Pass pass) {
  const auto* const first =
      text.stages[stage].data() + static_cast<int>(pass) * text.chunks * num_slot_kinds;
  double least = first->busy;
  for (const Section* section = first + 1; section != first + num_slot_kinds; ++section) {
    if (section->end > section->begin) least = std::min(least, section->busy);
  }
  return least;
}

double busy_time(const LayoutText& text, std::size_t stage, int micro_batches) {
  double busy = 0;
  for (int section = 0; section < text.last_section(); ++section) {
    const int kind = section % num_slot_kinds;
    const int times = kind == 0 ? 1 : kind == 1 ? micro_batches - 2 : 1;
    if (times > 0) busy += times * text.stages[stage][static_cast<std::size_t>(section)].busy;
  }
  return busy;
}

}  // namespace

Seconds stage_bound(const LayoutText& text, int micro_batches) {
  const double end = text.stages[0].back().busy;
  double before_and_after = 0;  // of the stage: other stages' passes of chunk 0
  double bound = 0;
  for (std::size_t stage = 0; stage < text.stages.size(); ++stage) {
    bound = std::max(bound, before_and_after + busy_time(text, stage, micro_batches) + end);
    before_and_after +=
        least_busy(text, stage, Pass::Forward) + least_busy(text, stage, Pass::Backward);
  }
  return Seconds(bound);
}

Seconds compute_bound(const LayoutText& text, int micro_batches) {
  double bound = 0;
  for (std::size_t stage = 0; stage < text.stages.size(); ++stage) {
    bound = std::max(bound, busy_time(text, stage, micro_batches) + text.stages[stage].back().busy);
  }
  return Seconds(bound);
}

Bytes peak_memory(const LayoutText& text, const SlotOrder& order) {
  Bytes most;
  for (std::size_t stage = 0; stage < order.size(); ++stage) {
    MemoryChange all;
    for (const int section : order[stage]) {
      all = all.then(text.stages[stage][static_cast<std::size_t>(section)].memory);
    }
    most = std::max(most, text.always_held[stage] + all.peak);
  }
  return most;
}

}  // namespace stepcast
