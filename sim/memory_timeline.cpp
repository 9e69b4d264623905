#include "sim/memory_timeline.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>

#include "sim/memory_clock.h"
#include "sim/memory_events.h"
#include "sim/reserved_memory.h"

namespace stepcast {
namespace {

using Parts = std::array<Bytes, kNumMemoryParts>;

constexpr double kUnlikely = 0.05;

Bytes sum(const Parts& parts) {
  Bytes total;
  for (const Bytes part : parts) total += part;
  return total;
}

Bytes& part_of(Parts& parts, MemoryPart part) { return parts[static_cast<std::size_t>(part)]; }

Bytes change(const MemoryEvent& event, const RankProgram& rank) {
  const TensorShape& tensor = rank.tensors[static_cast<std::size_t>(event.tensor)];
  return event.kind == InstructionKind::Allocate ? tensor.total() : -tensor.total();
}

bool counts(const MemoryEvent& event, const RankProgram& rank) {
  return is_expected(rank.tensors[static_cast<std::size_t>(event.tensor)]);
}

// A place in the events: just after an event of a slot; slot -1: before the first.
struct Place {
  int slot = -1;
  std::size_t event = 0;
};

// The first place where most is allocated.
Place peak_place(const RankProgram& rank, const MemoryEvents& events) {
  Place place;
  Bytes alive;
  Bytes most;
  for (std::size_t s = 0; s < events.slots.size(); ++s) {
    const std::vector<MemoryEvent>& text = events.text(events.slots[s]);
    for (std::size_t e = 0; e < text.size(); ++e) {
      if (!counts(text[e], rank)) continue;
      alive += change(text[e], rank);
      if (alive <= most) continue;
      most = alive;
      place = {static_cast<int>(s), e};
    }
  }
  return place;
}

// What is alive there.
void add_tensors(StageMemory& stage, const RankProgram& rank, const MemoryEvents& events,
                 const Place& place) {
  std::vector<int> alive(rank.tensors.size(), 0);
  const auto pass = [&](const MemoryEvent& event) {
    alive[static_cast<std::size_t>(event.tensor)] +=
        event.kind == InstructionKind::Allocate ? 1 : -1;
  };
  for (int s = 0; s <= place.slot; ++s) {
    const std::vector<MemoryEvent>& text = events.text(events.slots[static_cast<std::size_t>(s)]);
    const std::size_t end = s == place.slot ? place.event + 1 : text.size();
    std::for_each(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), pass);
  }
  for (std::size_t t = 0; t < alive.size(); ++t) {
    const TensorShape& tensor = rank.tensors[t];
    const Bytes size = alive[t] * tensor.total();
    if (is_expected(tensor)) part_of(stage.parts, tensor.part) += size;
    if (tensor.on_host || tensor.likelihood >= 1.0 || size <= Bytes()) continue;
    stage.uncertain += size;
    stage.uncertain_likelihood = tensor.likelihood;
  }
}

StageMemory peak_at(const Place& place, const RankProgram& rank, const MemoryEvents& events) {
  StageMemory stage;
  stage.parts = rank.resident;
  if (place.slot >= 0) {
    const MemorySlot& slot = events.slots[static_cast<std::size_t>(place.slot)];
    stage.peak_instruction = slot.first_instruction + events.text(slot)[place.event].instruction;
    stage.peak_work = slot.work;
    stage.peak_micro_batch = slot.micro_batch;
    stage.peak_chunk = slot.chunk;
    add_tensors(stage, rank, events, place);
  }
  stage.allocated = sum(stage.parts);
  return stage;
}

Seconds time_of(const Place& place, const MemoryEvents& events, MemoryClock clock) {
  if (place.slot < 0) return Seconds();
  const MemorySlot& slot = events.slots[static_cast<std::size_t>(place.slot)];
  return clock.time(slot, events.text(slot)[place.event]);
}

// What one rank keeps in its node's memory at most: state and offloaded activations.
Bytes host_peak_of(const RankProgram& rank) {
  Bytes alive = sum(rank.host_resident);
  Bytes peak = alive;
  for (const Instruction& instruction : rank.stream(Stream::Compute)) {
    const bool allocates = instruction.kind == InstructionKind::Allocate;
    if (!allocates && instruction.kind != InstructionKind::Free) continue;
    const TensorShape& tensor = rank.tensors[static_cast<std::size_t>(instruction.index)];
    if (!tensor.on_host) continue;
    alive += allocates ? tensor.total() : -tensor.total();
    peak = std::max(peak, alive);
  }
  return peak;
}

// What the caching allocator and the driver take besides tensors.
void add_overheads(StageMemory& stage, const RankProgram& rank, const MemoryEvents& events,
                   const AllocatorSettings& settings) {
  const ReservedMemory reserved = reserved_memory(rank, events, allocator_options(settings, rank));
  // No allocator has more than there is: it would give back what it caches, in pieces if need be.
  const Bytes limit = std::max(settings.capacity - rank.outside_allocator, stage.allocated);
  stage.reserved = std::min(std::max(reserved.peak, stage.allocated), limit);
  stage.device = stage.reserved + rank.outside_allocator;
  part_of(stage.parts, MemoryPart::Fragmentation) = stage.reserved - stage.allocated;
  part_of(stage.parts, MemoryPart::Context) += rank.outside_allocator;
}

MemoryChange tensor_change(const RankProgram& rank, InstructionKind kind, std::int32_t tensor) {
  const TensorShape& shape = rank.tensors[static_cast<std::size_t>(tensor)];
  if (!is_expected(shape)) return {};
  if (kind == InstructionKind::Free) return {Bytes(), -shape.total()};
  return {shape.total(), shape.total()};
}

}  // namespace

CachingAllocator::Options allocator_options(const AllocatorSettings& settings,
                                            const RankProgram& rank) {
  const Bytes limit = std::max(settings.capacity - rank.outside_allocator, Bytes());
  return {.expandable_segments = settings.expandable_segments,
          .limit = static_cast<std::int64_t>(limit.value())};
}

int class_of_stage(const FoldedProgram& folded, int stage) {
  for (std::size_t r = 0; r < folded.ranks.size(); ++r) {
    if (folded.ranks[r].program == stage) return static_cast<int>(r);
  }
  return -1;
}

std::vector<StageMemory> stage_memory(const FoldedProgram& folded, const Timeline& timeline,
                                      const AllocatorSettings& settings) {
  std::vector<StageMemory> stages;
  for (std::size_t s = 0; s < folded.program->programs.size(); ++s) {
    const int rank_class = class_of_stage(folded, static_cast<int>(s));
    const RankProgram& rank = folded.text(rank_class);
    const MemoryEvents events = memory_events(rank);
    const Place place = peak_place(rank, events);
    stages.push_back(peak_at(place, rank, events));
    stages.back().stage = static_cast<int>(s);
    stages.back().peak_at = time_of(place, events, MemoryClock(folded, rank_class, timeline));
    stages.back().host = host_peak_of(rank);
    add_overheads(stages.back(), rank, events, settings);
  }
  return stages;
}

StageMemory untimed_stage_memory(const RankProgram& rank, const AllocatorSettings& settings,
                                 bool with_reserved) {
  const MemoryEvents events = memory_events(rank);
  StageMemory stage = peak_at(peak_place(rank, events), rank, events);
  if (with_reserved) add_overheads(stage, rank, events, settings);
  return stage;
}

Bytes of_kind(const StageMemory& stage, MemoryKind kind) {
  switch (kind) {
    case MemoryKind::Allocated:
      return stage.allocated;
    case MemoryKind::Reserved:
      return stage.reserved;
    case MemoryKind::Device:
      return stage.device;
  }
  return {};
}

void for_each_memory_point(const FoldedProgram& folded, const Timeline& timeline, int rank_class,
                           const std::function<void(const MemoryPoint&)>& use) {
  const RankProgram& rank = folded.text(rank_class);
  const MemoryEvents events = memory_events(rank);
  MemoryClock clock(folded, rank_class, timeline);
  Bytes alive = sum(rank.resident);
  use({Seconds(), alive});
  for (const MemorySlot& slot : events.slots) {
    for (const MemoryEvent& event : events.text(slot)) {
      if (!counts(event, rank)) continue;
      alive += change(event, rank);
      use({clock.time(slot, event), alive});
    }
  }
}

std::vector<MemoryPoint> memory_over_time(const FoldedProgram& folded, const Timeline& timeline,
                                          int stage, int points) {
  const Seconds end = timeline.end();
  std::vector<MemoryPoint> highest;
  int stretch = 0;
  for_each_memory_point(
      folded, timeline, class_of_stage(folded, stage), [&](const MemoryPoint& point) {
        const int place = end > Seconds() ? static_cast<int>((points - 1) * (point.at / end)) : 0;
        if (highest.empty() || place != stretch) {
          highest.push_back(point);
        } else if (point.allocated > highest.back().allocated) {
          highest.back() = point;
        }
        stretch = place;
      });
  return highest;
}

MemoryChange memory_change(const RankProgram& rank, const Instruction& instruction) {
  if (instruction.kind == InstructionKind::Call) {
    MemoryChange all;
    for (const BlockAllocation& inside :
         rank.blocks[static_cast<std::size_t>(instruction.index)].allocations) {
      all = all.then(tensor_change(rank, inside.kind, inside.tensor));
    }
    return all;
  }
  const bool touches =
      instruction.kind == InstructionKind::Allocate || instruction.kind == InstructionKind::Free;
  return touches ? tensor_change(rank, instruction.kind, instruction.index) : MemoryChange{};
}

Bytes always_held(const RankProgram& rank) { return sum(rank.resident) + rank.outside_allocator; }

double out_of_memory_probability(Bytes device, Bytes capacity, double spread) {
  if (device <= Bytes()) return 0.0;
  const double margin = std::log(capacity / device);
  if (spread <= 0.0) return margin < 0.0 ? 1.0 : 0.0;
  return boost::math::cdf(boost::math::complement(boost::math::normal(), margin / spread));
}

double out_of_memory_probability(const StageMemory& stage, Bytes capacity, double spread) {
  const double with = stage.uncertain_likelihood;
  const Bytes fragments = stage.parts[static_cast<std::size_t>(MemoryPart::Fragmentation)];
  const Bytes most = stage.device_with_uncertain() - fragments;
  const Bytes least = stage.device_without_uncertain() - fragments;
  return with * out_of_memory_probability(most, capacity, spread) +
         (1.0 - with) * out_of_memory_probability(least, capacity, spread);
}

MemoryInterval device_interval(const StageMemory& stage, double spread) {
  const double factor = std::exp(spread * boost::math::quantile(boost::math::normal(), 0.95));
  const double with = stage.uncertain_likelihood;
  const Bytes least = with > 1.0 - kUnlikely ? stage.device_with_uncertain()  //
                                             : stage.device_without_uncertain();
  const Bytes most = with < kUnlikely ? stage.device_without_uncertain()  //
                                      : stage.device_with_uncertain();
  return {least / factor, most * factor};
}

}  // namespace stepcast
