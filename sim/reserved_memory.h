// What PyTorch's caching allocator reserves for a rank's tensors once its steps have come to repeat
// themselves.
#pragma once

#include <functional>
#include <vector>

#include "sim/caching_allocator.h"
#include "sim/memory_events.h"

namespace stepcast {

/// Weights, gradients and workspaces are allocated first, then a step runs, then the optimizer's
/// state is allocated beside what that step has left (frameworks create it in their first step),
/// then steps run until one leaves the allocator as it found it, at most four. Slots that leave it
/// as an earlier slot did, and that are followed by the same slots as that one was, are not run
/// again; nor, with one chunk a stage, after four rounds that reserved nothing more. Resident parts
/// consist of `rank.resident_tensors` equal tensors each. Tensors that are there less likely than
/// not are left out.
struct ReservedMemory {
  Bytes peak;       ///< most that was reserved
  int steps = 0;    ///< that were run
  int skipped = 0;  ///< slots of them that were not
};

ReservedMemory reserved_memory(const RankProgram& rank, const MemoryEvents& events,
                               CachingAllocator::Options options);

/// A block that was given out or taken back.
struct BlockEvent {
  const MemorySlot& slot;
  const MemoryEvent& event;
  std::int64_t address;
  std::int64_t requested;
};

struct ResidentBlock {
  std::int64_t address;
  MemoryPart part;
};

/// The allocator after the same steps and one more, all of whose slots run under the eyes of
/// `watch`.
struct SteadyStep {
  CachingAllocator allocator;
  std::vector<ResidentBlock> residents;
};
SteadyStep steady_step(const RankProgram& rank, const MemoryEvents& events,
                       CachingAllocator::Options options,
                       const std::function<void(const BlockEvent&)>& watch);

}  // namespace stepcast
