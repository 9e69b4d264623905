// What the stages of a layout do, as flat instructions: every kind of slot once, blocks as one
// duration, each rank's streams as clocks. Written from the same step program that the engines run,
// for as few micro-batches as show every kind of slot.
#pragma once

#include <cstdint>
#include <vector>

#include "models/pipeline_schedule.h"
#include "sim/folding.h"
#include "sim/memory_timeline.h"

namespace stepcast {

enum class ClockKind : std::uint8_t {
  Advance,      ///< the stream is busy for `time`
  Follow,       ///< the stream waits for where stream `other` is
  Note,         ///< event `index` happens where the stream is
  Wait,         ///< the stream waits for event `index`
  Send,         ///< the stream follows `other`; the next message of channel `index` takes `time`
  SendAndWait,  ///< Send, and `other` follows the stream
  Receive,      ///< the stream waits for the channel's next message; `other` follows, then is busy
  Meet,         ///< all stages of meeting `index` wait for each other, then for `time`
};

struct ClockInstruction {
  ClockKind kind;
  std::uint8_t stream;
  std::uint8_t other = 0;
  std::int32_t index = 0;
  double time = 0;  ///< seconds
};

/// A range of LayoutText::instructions, how long it keeps the compute stream busy, and the tensors
/// that it brings to life.
struct Section {
  int begin = 0;
  int end = 0;
  double busy = 0;
  MemoryChange memory = {};
};

/// Slots of the first, the last and the other micro-batches differ.
inline constexpr int num_slot_kinds = 3;

struct LayoutText {
  std::vector<ClockInstruction> instructions;
  std::vector<std::vector<Section>> stages;  ///< [stage][section_of(...)], last the step's end
  std::vector<Bytes> always_held;            ///< [stage]: resident, and outside the allocator
  std::vector<int> meeting_sizes;            ///< [channel or meeting]; stages that meet there
  int chunks = 1;
  int num_events = 0;  ///< most in one section
  /// Whether the instructions tell all. They do not where a stage does what clocks cannot tell:
  /// blocks that meet other stages, receiving streams that do more than receive, events between
  /// slots. What sections keep busy and hold is right all the same.
  bool walkable = true;

  /// Place of a slot among its stage's sections, of `micro_batches` in all.
  int section_of(const Slot& slot, int micro_batches) const {
    const int kind = slot.micro_batch == 0 ? 0 : slot.micro_batch == micro_batches - 1 ? 2 : 1;
    return (static_cast<int>(slot.pass) * chunks + slot.chunk) * num_slot_kinds + kind;
  }
  int last_section() const { return 2 * chunks * num_slot_kinds; }
};

/// Micro-batches that show every kind of slot of a layout: the first, another, the last.
int micro_batches_to_show(Schedule schedule, const PipelineShape& shape);

/// Requires rank class = stage and a program of micro_batches_to_show() micro-batches.
LayoutText layout_text(const FoldedProgram& folded, const PipelineShape& shape);

}  // namespace stepcast
