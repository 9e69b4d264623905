#include "sim/search/layout_text.h"

#include <algorithm>
#include <array>
#include <map>

#include "sim/fusing.h"

namespace stepcast {
namespace {

using Queue = std::vector<const Instruction*>;
using Queues = std::array<Queue, kNumStreams>;

// Puts the instructions of one slot, as they stand in the streams, into an order in which every
// event happens before it is waited for.
class SectionWriter {
 public:
  SectionWriter(const FoldedProgram& folded, int stage, const Queues& queues)
      : folded_(folded), stage_(stage), queues_(queues) {
    for (const Queue& queue : queues) {
      for (const Instruction* instruction : queue) {
        if (instruction->kind == InstructionKind::Wait) ++waits_[instruction->index];
      }
    }
  }

  // False where that cannot be done.
  bool write(std::vector<ClockInstruction>& out) {
    begin_ = out.size();
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t s = 0; s < queues_.size(); ++s) {
        while (next_[s] < queues_[s].size() && runnable(*queues_[s][next_[s]])) {
          if (!step(s, out)) return false;
          moved = true;
        }
      }
    }
    for (std::size_t s = 0; s < queues_.size(); ++s) {
      if (next_[s] < queues_[s].size()) return false;
    }
    return true;
  }

  int num_events() const { return static_cast<int>(noted_.size()); }

 private:
  bool runnable(const Instruction& instruction) const {
    return instruction.kind != InstructionKind::Wait || noted_.contains(instruction.index);
  }

  bool step(std::size_t stream, std::vector<ClockInstruction>& out) {
    const Instruction& instruction = *queues_[stream][next_[stream]++];
    const auto clock = static_cast<std::uint8_t>(stream);
    switch (instruction.kind) {
      case InstructionKind::Compute:
        advance(stream, instruction_time(folded_, stage_, instruction).value(), out);
        return true;
      case InstructionKind::Call:
        return call(stream, instruction.index, out);
      case InstructionKind::Collective:
        return collective(stream, instruction, out);
      case InstructionKind::Send:
        send(clock, instruction, out);
        return true;
      case InstructionKind::Receive:
        out.push_back({ClockKind::Receive, clock, clock, communicator(instruction), 0});
        return true;
      case InstructionKind::Record:
        record(stream, instruction.index, out);
        return true;
      case InstructionKind::Wait:
        out.push_back({ClockKind::Wait, clock, 0, noted_.at(instruction.index), 0});
        return true;
      case InstructionKind::Allocate:
      case InstructionKind::Free:
        return true;
    }
    return false;
  }

  int communicator(const Instruction& instruction) const {
    return communicator_index(folded_, stage_, instruction);
  }

  bool meets_others(const Instruction& instruction) const {
    return instruction.kind == InstructionKind::Collective &&
           folded_.communicators[static_cast<std::size_t>(communicator(instruction))]
                   .arrivals.size() > 1;
  }

  void advance(std::size_t stream, double time, std::vector<ClockInstruction>& out) {
    if (out.size() > begin_ && goes_on(out.back(), stream)) {
      out.back().time += time;
    } else {
      out.push_back({ClockKind::Advance, static_cast<std::uint8_t>(stream), 0, 0, time});
    }
  }

  // Whether the stream is busy at the end of the instruction before, and can stay so.
  static bool goes_on(const ClockInstruction& before, std::size_t stream) {
    if (before.kind == ClockKind::Advance) return before.stream == stream;
    return before.kind == ClockKind::Receive && before.other == stream && before.stream != stream;
  }

  // Takes in a Follow that stands before it.
  void send(std::uint8_t stream, const Instruction& instruction,
            std::vector<ClockInstruction>& out) {
    std::uint8_t other = stream;
    if (out.size() > begin_ && out.back().kind == ClockKind::Follow &&
        out.back().stream == stream) {
      other = out.back().other;
      out.pop_back();
    }
    out.push_back({ClockKind::Send, stream, other, communicator(instruction),
                   instruction_time(folded_, stage_, instruction).value()});
  }

  // Becomes part of the receive or send before it where it can.
  void follow(std::size_t stream, std::size_t other, std::vector<ClockInstruction>& out) {
    const auto clock = static_cast<std::uint8_t>(stream);
    if (out.size() > begin_ && out.back().stream == other) {
      ClockInstruction& before = out.back();
      if (before.kind == ClockKind::Receive && before.other == before.stream) {
        before.other = clock;
        return;
      }
      if (before.kind == ClockKind::Send && before.other == clock) {
        before.kind = ClockKind::SendAndWait;
        return;
      }
    }
    out.push_back({ClockKind::Follow, clock, static_cast<std::uint8_t>(other), 0, 0});
  }

  bool call(std::size_t stream, int block, std::vector<ClockInstruction>& out) {
    double sum = 0;
    for (const Instruction& instruction :
         folded_.text(stage_).blocks[static_cast<std::size_t>(block)].body) {
      if (meets_others(instruction)) return false;
      sum += instruction_time(folded_, stage_, instruction).value();
    }
    advance(stream, sum, out);
    return true;
  }

  bool collective(std::size_t stream, const Instruction& instruction,
                  std::vector<ClockInstruction>& out) {
    const double time = instruction_time(folded_, stage_, instruction).value();
    if (meets_others(instruction)) {
      out.push_back(
          {ClockKind::Meet, static_cast<std::uint8_t>(stream), 0, communicator(instruction), time});
    } else {
      advance(stream, time, out);
    }
    return true;
  }

  // Streams that stand waiting for the event follow at once; only others need it noted.
  void record(std::size_t stream, int event, std::vector<ClockInstruction>& out) {
    int waits = waits_[event];
    for (std::size_t s = 0; s < queues_.size() && waits > 0; ++s) {
      if (next_[s] == queues_[s].size()) continue;
      const Instruction& head = *queues_[s][next_[s]];
      if (head.kind != InstructionKind::Wait || head.index != event) continue;
      follow(s, stream, out);
      ++next_[s];
      --waits;
    }
    if (waits == 0) return;
    const auto place = noted_.emplace(event, static_cast<int>(noted_.size())).first;
    out.push_back({ClockKind::Note, static_cast<std::uint8_t>(stream), 0, place->second, 0});
  }

  const FoldedProgram& folded_;
  int stage_;
  const Queues& queues_;
  std::array<std::size_t, kNumStreams> next_{};
  std::map<int, int> waits_;  // event -> how many instructions wait for it
  std::map<int, int> noted_;  // event -> number in the section
  std::size_t begin_ = 0;
};

bool only_receives(const RankProgram& text) {
  for (const Stream stream : {Stream::ReceiveForward, Stream::ReceiveBackward}) {
    for (const Instruction& instruction : text.stream(stream)) {
      if (instruction.kind != InstructionKind::Receive &&
          instruction.kind != InstructionKind::Record) {
        return false;
      }
    }
  }
  return true;
}

// What the compute stream is busy with, each instruction alone.
double busy_time(const FoldedProgram& folded, int stage, const Queues& queues) {
  double busy = 0;
  const auto add = [&](const Instruction& instruction) {
    if (instruction.kind == InstructionKind::Compute ||
        instruction.kind == InstructionKind::Collective) {
      busy += instruction_time(folded, stage, instruction).value();
    }
  };
  for (const Instruction* instruction : queues[static_cast<std::size_t>(Stream::Compute)]) {
    add(*instruction);
    if (instruction->kind != InstructionKind::Call) continue;
    const Block& block = folded.text(stage).blocks[static_cast<std::size_t>(instruction->index)];
    for (const Instruction& inside : block.body) add(inside);
  }
  return busy;
}

MemoryChange memory_of(const RankProgram& program, const Queues& queues) {
  MemoryChange all;
  for (const Instruction* instruction : queues[static_cast<std::size_t>(Stream::Compute)]) {
    all = all.then(memory_change(program, *instruction));
  }
  return all;
}

// The stage's instructions by section.
std::vector<Queues> sections_of(const RankProgram& program, const LayoutText& text,
                                int micro_batches) {
  std::vector<Queues> sections(static_cast<std::size_t>(text.last_section()) + 1);
  std::vector<int> shown(sections.size(), -1);  // which micro-batch stands for the section
  for (std::size_t s = 0; s < program.streams.size(); ++s) {
    for (const Instruction& instruction : program.streams[s]) {
      int section = text.last_section();
      if (instruction.micro_batch >= 0) {
        const Pass pass = instruction.work == Work::Forward ? Pass::Forward : Pass::Backward;
        section =
            text.section_of({pass, instruction.micro_batch, instruction.chunk}, micro_batches);
      }
      int& micro_batch = shown[static_cast<std::size_t>(section)];
      if (micro_batch < 0) micro_batch = instruction.micro_batch;
      if (micro_batch != instruction.micro_batch) continue;
      sections[static_cast<std::size_t>(section)][s].push_back(&instruction);
    }
  }
  return sections;
}

}  // namespace

int micro_batches_to_show(Schedule schedule, const PipelineShape& shape) {
  const int rounds = schedule == Schedule::Interleaved ? shape.stages : 1;
  return std::min(shape.micro_batches, (num_slot_kinds + rounds - 1) / rounds * rounds);
}

LayoutText layout_text(const FoldedProgram& folded, const PipelineShape& shape) {
  LayoutText text;
  text.chunks = shape.chunks;
  for (const FoldedCommunicator& communicator : folded.communicators) {
    text.meeting_sizes.push_back(static_cast<int>(communicator.arrivals.size()));
  }
  for (int stage = 0; stage < shape.stages; ++stage) {
    const RankProgram& program = folded.text(stage);
    if (!only_receives(program)) text.walkable = false;
    text.always_held.push_back(always_held(program));
    std::vector<Section>& sections = text.stages.emplace_back();
    for (const Queues& queues : sections_of(program, text, shape.micro_batches)) {
      const int begin = static_cast<int>(text.instructions.size());
      SectionWriter writer(folded, stage, queues);
      if (!writer.write(text.instructions)) text.walkable = false;
      sections.push_back({begin, static_cast<int>(text.instructions.size()),
                          busy_time(folded, stage, queues), memory_of(program, queues)});
      text.num_events = std::max(text.num_events, writer.num_events());
    }
  }
  return text;
}

}  // namespace stepcast
