// PyTorch's caching allocator: what the framework reserves of a GPU for the tensors that it
// allocates and frees. Sizes in whole bytes, one stream, one GPU.
#pragma once

#include <cstdint>
#include <vector>

namespace stepcast {

/// Requests are rounded up to 512 bytes. Up to 1 MiB they come from a small pool of 2 MiB segments,
/// below 10 MiB from 20 MiB segments, else from segments of their own, rounded up to 2 MiB. The
/// smallest free block that holds a request is taken, of equals the lowest; what it has too much is
/// split off where it is worth it (512 bytes in the small pool, more than 1 MiB in the large one).
/// A freed block joins its free neighbours in the segment.
///
/// With expandable segments each pool is one range of addresses that grows by whole pages (2 and
/// 20 MiB), so a request that fits no gap grows the range at its end, and every rest is split off.
///
/// Where a new segment would exceed `limit`, segments without any tensor are given back first; if
/// that is not enough the limit is exceeded: whether that ends the run is for others to judge.
///
/// Source: pytorch/c10/cuda/CUDACachingAllocator.cpp (round_size, get_allocation_size,
/// should_split, get_free_block, try_merge_blocks, release_cached_blocks), torch 2.x.
class CachingAllocator {
 public:
  struct Options {
    bool expandable_segments = false;
    std::int64_t limit = INT64_MAX;
  };
  using BlockId = std::int32_t;

  explicit CachingAllocator(Options options) : options_(options) {}

  /// Requires bytes > 0.
  BlockId allocate(std::int64_t bytes);
  void free(BlockId block);

  std::int64_t allocated() const { return allocated_; }  ///< of blocks in use, rounding included
  std::int64_t reserved() const { return reserved_; }
  std::int64_t peak_reserved() const { return peak_reserved_; }

  struct Block {
    std::int64_t address = 0;
    std::int64_t size = 0;
    std::int64_t requested = 0;  ///< 0: free
    BlockId previous = -1;       ///< in the same segment, by address
    BlockId next = -1;
    std::int32_t segment = -1;
  };
  struct Segment {
    std::int64_t address = 0;
    std::int64_t size = 0;  ///< 0: given back
    BlockId first = -1;
    bool small = false;
  };
  const Block& block(BlockId id) const { return blocks_[static_cast<std::size_t>(id)]; }
  const std::vector<Segment>& segments() const { return segments_; }

  /// A number that is the same for two allocators that hand out and keep the same blocks: the free
  /// blocks in order of size, and the sizes of the segments.
  std::uint64_t state() const;

 private:
  struct FreeKey {
    std::int64_t size;
    std::int64_t address;
    BlockId block;
    friend bool operator<(const FreeKey& a, const FreeKey& b) {
      return a.size != b.size ? a.size < b.size : a.address < b.address;
    }
  };
  using FreeBlocks = std::vector<FreeKey>;  // sorted: they are few, and a tree's nodes are slow

  Block& at(BlockId id) { return blocks_[static_cast<std::size_t>(id)]; }
  FreeBlocks& pool(bool small) { return small ? small_blocks_ : large_blocks_; }
  bool is_small(const Block& block) const;
  BlockId new_block(const Block& block);
  BlockId new_segment(std::int64_t size, bool small);
  BlockId expand(std::int64_t size, bool small);
  BlockId best_fit(std::int64_t size, bool small);
  void split(BlockId id, std::int64_t size);
  void join(BlockId id, BlockId next);
  void reserve(std::int64_t bytes);
  void give_back_unused();
  void put_free(BlockId id);
  void take_free(BlockId id);

  Options options_;
  std::vector<Block> blocks_;
  std::vector<BlockId> unused_ids_;
  std::vector<Segment> segments_;
  FreeBlocks small_blocks_;
  FreeBlocks large_blocks_;
  std::int32_t range_[2] = {-1, -1};  // expandable segments: of the large and the small pool
  std::int64_t next_address_ = 0;
  std::int64_t allocated_ = 0;
  std::int64_t reserved_ = 0;
  std::int64_t peak_reserved_ = 0;
};

}  // namespace stepcast
