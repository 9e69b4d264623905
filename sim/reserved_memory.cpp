#include "sim/reserved_memory.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/contract.h"

namespace stepcast {
namespace {

constexpr int kMaximumSteps = 4;
constexpr int kQuietRounds = 4;

std::int64_t whole_bytes(Bytes size) { return static_cast<std::int64_t>(std::ceil(size.value())); }

// The tensors of one place in the table that one micro-batch has alive, last in first out.
struct Owner {
  std::int32_t tensor;
  std::int16_t chunk;
  std::int32_t micro_batch;
  friend bool operator<(const Owner& a, const Owner& b) {
    return std::tie(a.tensor, a.chunk, a.micro_batch) < std::tie(b.tensor, b.chunk, b.micro_batch);
  }
};

class AllocatorRun {
 public:
  AllocatorRun(const RankProgram& rank, const MemoryEvents& events,
               CachingAllocator::Options options)
      : rank_(rank), events_(events), allocator_(options) {
    one_chunk_ = std::all_of(events.slots.begin(), events.slots.end(),
                             [](const MemorySlot& slot) { return slot.chunk == 0; });
  }

  ReservedMemory run() {
    ReservedMemory result;
    for (int part = 0; part < kNumMemoryParts; ++part) {
      if (static_cast<MemoryPart>(part) != MemoryPart::Optimizer) allocate_resident(part);
    }
    run_step(result);
    allocate_resident(static_cast<int>(MemoryPart::Optimizer));
    std::uint64_t before = 0;
    std::uint64_t after = allocator_.state();
    while (before != after && result.steps < kMaximumSteps) {
      run_step(result);
      before = after;
      after = allocator_.state();
    }
    result.peak = Bytes(static_cast<double>(allocator_.peak_reserved()));
    return result;
  }

  SteadyStep watched_step(const std::function<void(const BlockEvent&)>& watch) {
    watch_ = &watch;
    for (const MemorySlot& slot : events_.slots) run_slot(slot);
    return {allocator_, residents_};
  }

 private:
  void allocate_resident(int part) {
    const Bytes size = rank_.resident[static_cast<std::size_t>(part)];
    if (size <= Bytes()) return;
    const int count = rank_.resident_tensors;
    for (int i = 0; i < count; ++i) {
      const CachingAllocator::BlockId block = allocator_.allocate(whole_bytes(size / count));
      residents_.push_back({allocator_.block(block).address, static_cast<MemoryPart>(part)});
    }
  }

  void run_step(ReservedMemory& result) {
    ++result.steps;
    seen_.clear();
    quiet_ends_.clear();
    const std::size_t count = events_.slots.size();
    for (std::size_t i = 0; i < count; ++i) {
      run_slot(events_.slots[i]);
      if (!may_end_round(events_.slots[i])) continue;
      const std::optional<std::size_t> earlier = repeated(i);
      const std::size_t skipped = earlier ? skippable(*earlier, i) : 0;
      if (skipped == 0) continue;
      move_owners(events_.slots[i + skipped].micro_batch - events_.slots[i].micro_batch);
      i += skipped;
      result.skipped += static_cast<int>(skipped);
    }
    STEPCAST_REQUIRES(owners_.empty());  // a step frees what it allocates
  }

  static bool may_end_round(const MemorySlot& slot) {
    return slot.work == Work::Backward || slot.work == Work::WeightGradient;
  }

  void run_slot(const MemorySlot& slot) {
    for (const MemoryEvent& event : events_.text(slot)) {
      const TensorShape& tensor = rank_.tensors[static_cast<std::size_t>(event.tensor)];
      if (!is_expected(tensor)) continue;
      const Owner owner{event.tensor, slot.chunk, slot.micro_batch};
      const auto show = [&](CachingAllocator::BlockId id) {
        const CachingAllocator::Block& block = allocator_.block(id);
        if (watch_) (*watch_)({slot, event, block.address, block.requested});
      };
      if (event.kind == InstructionKind::Allocate) {
        allocate(tensor, owners_[owner], show);
      } else {
        free(tensor, owner, show);
      }
    }
  }

  template <class Show>
  void allocate(const TensorShape& tensor, std::vector<CachingAllocator::BlockId>& blocks,
                const Show& show) {
    const std::int64_t size = whole_bytes(tensor.size);
    for (int i = 0; i < tensor.count; ++i) {
      blocks.push_back(allocator_.allocate(size));
      show(blocks.back());
    }
  }

  template <class Show>
  void free(const TensorShape& tensor, const Owner& owner, const Show& show) {
    // Another micro-batch's pass may free it, when its copy to the host has ended: then the oldest.
    // Two passes that run together say the one's chunk and micro-batch: then any, all are equal.
    auto place = owners_.find(owner);
    if (place == owners_.end()) place = owners_.lower_bound({owner.tensor, owner.chunk, -1});
    if (place == owners_.end() || place->first.tensor != owner.tensor) {
      place = owners_.lower_bound({owner.tensor, -1, -1});
    }
    STEPCAST_REQUIRES(place != owners_.end() && place->first.tensor == owner.tensor);
    STEPCAST_REQUIRES(place->second.size() >= static_cast<std::size_t>(tensor.count));
    std::vector<CachingAllocator::BlockId>& blocks = place->second;
    for (int i = 0; i < tensor.count; ++i) {
      show(blocks.back());
      allocator_.free(blocks.back());
      blocks.pop_back();
    }
    if (blocks.empty()) owners_.erase(place);
  }

  // The free blocks, and which blocks belong to whom, counted from the slot's micro-batch.
  std::uint64_t state_after(const MemorySlot& slot) const {
    std::uint64_t hash = allocator_.state();
    const auto mix = [&hash](std::int64_t value) {
      hash = (hash ^ static_cast<std::uint64_t>(value)) * 0x9e3779b97f4a7c15ULL;
      hash ^= hash >> 29;
    };
    for (const auto& [owner, blocks] : owners_) {
      mix(owner.tensor);
      mix(owner.chunk);
      mix(owner.micro_batch - slot.micro_batch);
      for (const CachingAllocator::BlockId block : blocks) mix(allocator_.block(block).address);
    }
    return hash;
  }

  std::size_t blocks_alive() const {
    std::size_t count = 0;
    for (const auto& [owner, blocks] : owners_) count += blocks.size();
    return count;
  }

  // The slot that left the allocator as this one does. Rounds may also swap places with each other
  // for long without needing more: after some of those it is the one before.
  std::optional<std::size_t> repeated(std::size_t now) {
    const std::size_t alive = blocks_alive();
    const bool quiet = allocator_.peak_reserved() == peak_of_ends_ && alive == alive_at_end_;
    if (!quiet) quiet_ends_.clear();
    peak_of_ends_ = allocator_.peak_reserved();
    alive_at_end_ = alive;
    quiet_ends_.push_back(now);
    const auto [place, added] = seen_.try_emplace(state_after(events_.slots[now]), now);
    if (!added) return std::exchange(place->second, now);
    if (!one_chunk_ || quiet_ends_.size() <= kQuietRounds) return std::nullopt;
    return quiet_ends_[quiet_ends_.size() - 2];
  }

  // How many slots after `now` do what those between `earlier` and `now` did, in whole rounds.
  std::size_t skippable(std::size_t earlier, std::size_t now) const {
    const std::vector<MemorySlot>& slots = events_.slots;
    const std::size_t round = now - earlier;
    const std::int32_t shift = slots[now].micro_batch - slots[earlier].micro_batch;
    std::size_t next = now + 1;
    for (; next < slots.size(); ++next) {
      const MemorySlot& a = slots[next - round];
      const MemorySlot& b = slots[next];
      if (a.text != b.text || a.chunk != b.chunk || b.micro_batch - a.micro_batch != shift) break;
    }
    return (next - now - 1) / round * round;
  }

  void move_owners(std::int32_t micro_batches) {
    std::map<Owner, std::vector<CachingAllocator::BlockId>> moved;
    for (auto& [owner, blocks] : owners_) {
      moved[{owner.tensor, owner.chunk, owner.micro_batch + micro_batches}] = std::move(blocks);
    }
    owners_ = std::move(moved);
  }

  const RankProgram& rank_;
  const MemoryEvents& events_;
  CachingAllocator allocator_;
  std::map<Owner, std::vector<CachingAllocator::BlockId>> owners_;
  std::unordered_map<std::uint64_t, std::size_t> seen_;
  bool one_chunk_ = true;                // then all that is alive goes on by the same micro-batches
  std::vector<std::size_t> quiet_ends_;  // of rounds that reserved no more and freed what they took
  std::int64_t peak_of_ends_ = 0;
  std::size_t alive_at_end_ = 0;
  std::vector<ResidentBlock> residents_;
  const std::function<void(const BlockEvent&)>* watch_ = nullptr;
};

}  // namespace

ReservedMemory reserved_memory(const RankProgram& rank, const MemoryEvents& events,
                               CachingAllocator::Options options) {
  return AllocatorRun(rank, events, options).run();
}

SteadyStep steady_step(const RankProgram& rank, const MemoryEvents& events,
                       CachingAllocator::Options options,
                       const std::function<void(const BlockEvent&)>& watch) {
  AllocatorRun run(rank, events, options);
  run.run();
  return run.watched_step(watch);
}

}  // namespace stepcast
