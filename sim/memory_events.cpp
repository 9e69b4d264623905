#include "sim/memory_events.h"

#include <map>

namespace stepcast {
namespace {

// What a slot does to memory, without its blocks' contents: slots with the same outline have the
// same text.
using Outline = std::vector<std::int32_t>;

bool same_slot(const MemorySlot& slot, const Instruction& instruction) {
  return slot.work == instruction.work && slot.micro_batch == instruction.micro_batch &&
         slot.chunk == instruction.chunk;
}

class EventCollector {
 public:
  explicit EventCollector(const RankProgram& rank) : rank_(rank) {}

  MemoryEvents collect() {
    const std::vector<Instruction>& instructions = rank_.stream(Stream::Compute);
    for (std::size_t i = 0; i < instructions.size(); ++i) {
      const Instruction& instruction = instructions[i];
      if (i == 0 || !same_slot(slot_, instruction)) begin(static_cast<int>(i), instruction);
      if (touches_memory(instruction)) {
        const auto offset = static_cast<std::int32_t>(i) - slot_.first_instruction;
        outline_.insert(outline_.end(),
                        {offset, static_cast<std::int32_t>(instruction.kind), instruction.index});
      }
    }
    end();
    return std::move(events_);
  }

 private:
  bool touches_memory(const Instruction& instruction) const {
    switch (instruction.kind) {
      case InstructionKind::Allocate:
      case InstructionKind::Free:
        return true;
      case InstructionKind::Call:
        return !rank_.blocks[static_cast<std::size_t>(instruction.index)].allocations.empty();
      default:
        return false;
    }
  }

  void begin(int first, const Instruction& instruction) {
    end();
    slot_ = {-1, first, instruction.micro_batch, instruction.chunk, instruction.work};
  }

  void end() {
    if (outline_.empty()) return;
    const auto [known, added] =
        texts_.try_emplace(outline_, static_cast<std::int32_t>(events_.texts.size()));
    if (added) events_.texts.push_back(written_out());
    slot_.text = known->second;
    events_.slots.push_back(slot_);
    outline_.clear();
  }

  std::vector<MemoryEvent> written_out() const {
    std::vector<MemoryEvent> text;
    for (std::size_t i = 0; i < outline_.size(); i += 3) {
      const std::int32_t offset = outline_[i];
      const auto kind = static_cast<InstructionKind>(outline_[i + 1]);
      const std::int32_t index = outline_[i + 2];
      if (kind != InstructionKind::Call) {
        text.push_back({kind, index, offset, -1});
        continue;
      }
      for (const BlockAllocation& allocation :
           rank_.blocks[static_cast<std::size_t>(index)].allocations) {
        text.push_back({allocation.kind, allocation.tensor, offset, allocation.before});
      }
    }
    return text;
  }

  const RankProgram& rank_;
  MemoryEvents events_;
  MemorySlot slot_{};
  Outline outline_;
  std::map<Outline, std::int32_t> texts_;
};

}  // namespace

MemoryEvents memory_events(const RankProgram& rank) { return EventCollector(rank).collect(); }

}  // namespace stepcast
