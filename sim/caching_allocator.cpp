#include "sim/caching_allocator.h"

#include <algorithm>

#include "base/contract.h"

namespace stepcast {
namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kRounding = 512;
constexpr std::int64_t kSmallRequest = kMiB;
constexpr std::int64_t kSmallSegment = 2 * kMiB;
constexpr std::int64_t kMediumRequest = 10 * kMiB;
constexpr std::int64_t kMediumSegment = 20 * kMiB;
constexpr std::int64_t kLargeRounding = 2 * kMiB;
// Ranges of expandable segments lie far apart: each has the addresses of the whole GPU and more.
constexpr std::int64_t kRangeDistance = std::int64_t{1} << 42;

std::int64_t round_up(std::int64_t bytes, std::int64_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

std::int64_t segment_size(std::int64_t size) {
  if (size <= kSmallRequest) return kSmallSegment;
  if (size < kMediumRequest) return kMediumSegment;
  return round_up(size, kLargeRounding);
}

std::uint64_t mixed(std::uint64_t hash, std::int64_t value) {
  // The 64-bit mix of splitmix64 (Steele, Lea, Flood, OOPSLA '14).
  hash += static_cast<std::uint64_t>(value) + 0x9e3779b97f4a7c15ULL;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ULL;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebULL;
  return hash ^ (hash >> 31);
}

}  // namespace

CachingAllocator::BlockId CachingAllocator::allocate(std::int64_t bytes) {
  STEPCAST_REQUIRES(bytes > 0);
  const std::int64_t size = round_up(bytes, kRounding);
  const bool small = size <= kSmallRequest;
  BlockId id = best_fit(size, small);
  if (id < 0) {
    id =
        options_.expandable_segments ? expand(size, small) : new_segment(segment_size(size), small);
  }
  const std::int64_t rest = at(id).size - size;
  const bool worth_it = small || options_.expandable_segments ? rest >= kRounding  //
                                                              : rest > kSmallRequest;
  if (worth_it) split(id, size);
  at(id).requested = bytes;
  allocated_ += at(id).size;
  return id;
}

void CachingAllocator::free(BlockId id) {
  STEPCAST_REQUIRES(at(id).requested > 0);
  allocated_ -= at(id).size;
  at(id).requested = 0;
  if (const BlockId next = at(id).next; next >= 0 && at(next).requested == 0) {
    take_free(next);
    join(id, next);
  }
  if (const BlockId previous = at(id).previous; previous >= 0 && at(previous).requested == 0) {
    take_free(previous);
    join(previous, id);
    id = previous;
  }
  put_free(id);
}

bool CachingAllocator::is_small(const Block& block) const {
  return segments_[static_cast<std::size_t>(block.segment)].small;
}

// The smallest that holds it leaves the pool.
CachingAllocator::BlockId CachingAllocator::best_fit(std::int64_t size, bool small) {
  FreeBlocks& free_blocks = pool(small);
  const auto place =
      std::lower_bound(free_blocks.begin(), free_blocks.end(), FreeKey{size, -1, -1});
  if (place == free_blocks.end()) return -1;
  const BlockId id = place->block;
  free_blocks.erase(place);
  return id;
}

CachingAllocator::BlockId CachingAllocator::new_block(const Block& block) {
  if (unused_ids_.empty()) {
    blocks_.push_back(block);
    return static_cast<BlockId>(blocks_.size()) - 1;
  }
  const BlockId id = unused_ids_.back();
  unused_ids_.pop_back();
  at(id) = block;
  return id;
}

CachingAllocator::BlockId CachingAllocator::new_segment(std::int64_t size, bool small) {
  if (reserved_ + size > options_.limit) give_back_unused();
  reserve(size);
  const auto segment = static_cast<std::int32_t>(segments_.size());
  segments_.push_back({next_address_, size, -1, small});
  const BlockId id = new_block({.address = next_address_, .size = size, .segment = segment});
  segments_.back().first = id;
  next_address_ += size;
  return id;
}

// Grows the pool's range until `size` bytes are free at its end.
CachingAllocator::BlockId CachingAllocator::expand(std::int64_t size, bool small) {
  const std::int64_t page = small ? kSmallSegment : kMediumSegment;
  std::int32_t& range = range_[small ? 1 : 0];
  if (range < 0) {
    range = static_cast<std::int32_t>(segments_.size());
    segments_.push_back({small ? kRangeDistance : 0, 0, -1, small});
  }
  Segment& segment = segments_[static_cast<std::size_t>(range)];
  BlockId last = segment.first;
  while (last >= 0 && at(last).next >= 0) last = at(last).next;
  const bool free_end = last >= 0 && at(last).requested == 0;
  if (free_end) take_free(last);
  const std::int64_t growth = round_up(size - (free_end ? at(last).size : 0), page);
  reserve(growth);
  const std::int64_t end = segment.address + segment.size;
  segment.size += growth;
  if (free_end) {
    at(last).size += growth;
    return last;
  }
  const BlockId id =
      new_block({.address = end, .size = growth, .previous = last, .segment = range});
  if (last >= 0) at(last).next = id;
  if (last < 0) segment.first = id;
  return id;
}

void CachingAllocator::split(BlockId id, std::int64_t size) {
  const Block whole = at(id);
  const BlockId rest = new_block({.address = whole.address + size,
                                  .size = whole.size - size,
                                  .previous = id,
                                  .next = whole.next,
                                  .segment = whole.segment});
  if (whole.next >= 0) at(whole.next).previous = rest;
  at(id).size = size;
  at(id).next = rest;
  put_free(rest);
}

void CachingAllocator::join(BlockId id, BlockId next) {
  const Block& taken = at(next);
  at(id).size += taken.size;
  at(id).next = taken.next;
  if (taken.next >= 0) at(taken.next).previous = id;
  unused_ids_.push_back(next);
}

void CachingAllocator::put_free(BlockId id) {
  const Block& block = at(id);
  const FreeKey key{block.size, block.address, id};
  FreeBlocks& free_blocks = pool(is_small(block));
  free_blocks.insert(std::lower_bound(free_blocks.begin(), free_blocks.end(), key), key);
}

void CachingAllocator::take_free(BlockId id) {
  const Block& block = at(id);
  FreeBlocks& free_blocks = pool(is_small(block));
  free_blocks.erase(std::lower_bound(free_blocks.begin(), free_blocks.end(),
                                     FreeKey{block.size, block.address, id}));
}

void CachingAllocator::reserve(std::int64_t bytes) {
  reserved_ += bytes;
  peak_reserved_ = std::max(peak_reserved_, reserved_);
}

void CachingAllocator::give_back_unused() {
  for (Segment& segment : segments_) {
    if (segment.size == 0) continue;
    const Block& first = at(segment.first);
    if (first.requested > 0 || first.size != segment.size) continue;
    take_free(segment.first);
    unused_ids_.push_back(segment.first);
    reserved_ -= segment.size;
    segment.size = 0;
  }
}

std::uint64_t CachingAllocator::state() const {
  std::uint64_t hash = static_cast<std::uint64_t>(reserved_);
  for (const FreeBlocks* free_blocks : {&small_blocks_, &large_blocks_}) {
    for (const FreeKey& key : *free_blocks) hash = mixed(mixed(hash, key.size), key.address);
  }
  return hash;
}

}  // namespace stepcast
