// A rank's allocations and frees in the order of its compute stream, blocks written out, slots that
// do the same written once.
#pragma once

#include <cstdint>
#include <vector>

#include "models/step_program.h"

namespace stepcast {

struct MemoryEvent {
  InstructionKind kind;      ///< Allocate or Free
  std::int32_t tensor;       ///< of the rank's table
  std::int32_t instruction;  ///< of the compute stream, after the slot's first
  std::int32_t place;        ///< in the called block's body; -1: the stream itself says it
};

/// One pass of one micro-batch: a run of instructions of the compute stream.
struct MemorySlot {
  std::int32_t text;  ///< MemoryEvents::texts
  std::int32_t first_instruction;
  std::int32_t micro_batch;
  std::int16_t chunk;
  Work work;
};

struct MemoryEvents {
  std::vector<std::vector<MemoryEvent>> texts;
  std::vector<MemorySlot> slots;  ///< those that touch memory

  const std::vector<MemoryEvent>& text(const MemorySlot& slot) const {
    return texts[static_cast<std::size_t>(slot.text)];
  }
};

MemoryEvents memory_events(const RankProgram& rank);

/// Whether the point estimate counts the tensor: it is on the GPU more likely than not.
inline bool is_expected(const TensorShape& tensor) {
  return !tensor.on_host && tensor.likelihood >= 0.5;
}

}  // namespace stepcast
