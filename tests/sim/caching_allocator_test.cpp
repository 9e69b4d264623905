#include "sim/caching_allocator.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace stepcast;

namespace {

constexpr std::int64_t kMiB = 1 << 20;

CachingAllocator plain() { return CachingAllocator({}); }
CachingAllocator expandable() { return CachingAllocator({.expandable_segments = true}); }

}  // namespace

TEST_CASE("a request is rounded up to 512 bytes", "[sim][memory]") {
  CachingAllocator allocator = plain();
  const auto block = allocator.allocate(513);
  REQUIRE(allocator.block(block).size == 1024);
  REQUIRE(allocator.allocated() == 1024);
  allocator.free(block);
  REQUIRE(allocator.allocated() == 0);
  REQUIRE(allocator.reserved() == 2 * kMiB);
}

TEST_CASE("requests up to 1 MiB share 2 MiB segments", "[sim][memory]") {
  CachingAllocator allocator = plain();
  allocator.allocate(kMiB);
  allocator.allocate(kMiB);
  REQUIRE(allocator.reserved() == 2 * kMiB);
  allocator.allocate(1);
  REQUIRE(allocator.reserved() == 4 * kMiB);
}

TEST_CASE("requests below 10 MiB come from 20 MiB segments", "[sim][memory]") {
  CachingAllocator allocator = plain();
  allocator.allocate(kMiB + 1);         // 1 MiB + 512 bytes
  allocator.allocate(10 * kMiB - 512);  // into what is left: 19 MiB - 512
  REQUIRE(allocator.reserved() == 20 * kMiB);
  allocator.allocate(9 * kMiB);  // what is left is 9 MiB exactly
  REQUIRE(allocator.reserved() == 20 * kMiB);
  allocator.allocate(2 * kMiB);
  REQUIRE(allocator.reserved() == 40 * kMiB);
}

TEST_CASE("requests from 10 MiB on have a segment of their own, rounded up to 2 MiB",
          "[sim][memory]") {
  CachingAllocator allocator = plain();
  allocator.allocate(10 * kMiB);
  REQUIRE(allocator.reserved() == 10 * kMiB);
  allocator.allocate(11 * kMiB);
  REQUIRE(allocator.reserved() == 22 * kMiB);
}

TEST_CASE("a large block is split only where more than 1 MiB is left", "[sim][memory]") {
  CachingAllocator allocator = plain();
  const auto whole = allocator.allocate(32 * kMiB);
  allocator.free(whole);
  const auto most = allocator.allocate(31 * kMiB);  // 1 MiB left: not split
  REQUIRE(allocator.block(most).size == 32 * kMiB);
  allocator.free(most);
  const auto less = allocator.allocate(31 * kMiB - 512);
  REQUIRE(allocator.block(less).size == 31 * kMiB - 512);
  REQUIRE(allocator.reserved() == 32 * kMiB);
}

TEST_CASE("the smallest free block that holds a request is taken", "[sim][memory]") {
  CachingAllocator allocator = plain();
  const auto big = allocator.allocate(64 * kMiB);
  const auto fitting = allocator.allocate(40 * kMiB);
  const auto address = allocator.block(fitting).address;
  allocator.free(big);
  allocator.free(fitting);
  REQUIRE(allocator.block(allocator.allocate(36 * kMiB)).address == address);
}

TEST_CASE("freed neighbours join, others stay apart", "[sim][memory]") {
  CachingAllocator allocator = plain();
  const auto segment = allocator.allocate(60 * kMiB);
  allocator.free(segment);
  const auto a = allocator.allocate(20 * kMiB);
  const auto b = allocator.allocate(20 * kMiB);
  const auto c = allocator.allocate(20 * kMiB);
  REQUIRE(allocator.reserved() == 60 * kMiB);
  allocator.free(a);
  allocator.free(c);
  // 40 MiB are free, in two pieces: 30 MiB fit neither.
  const auto d = allocator.allocate(30 * kMiB);
  REQUIRE(allocator.reserved() == 90 * kMiB);
  allocator.free(d);
  allocator.free(b);
  allocator.allocate(60 * kMiB);  // a, b and c are one block again
  REQUIRE(allocator.reserved() == 90 * kMiB);
}

TEST_CASE("expandable segments grow where a gap is too small, and lose no more than a page",
          "[sim][memory]") {
  // Tensors that grow: each time the old one is freed after the new one is there. Plain segments
  // keep every old one that later ones do not fit: 100 + 110 + 120 with 130 reusing none.
  const auto grow = [](CachingAllocator allocator) {
    auto last = allocator.allocate(100 * kMiB);
    for (const std::int64_t size : {110, 120, 130}) {
      const auto next = allocator.allocate(size * kMiB);
      allocator.free(last);
      last = next;
    }
    return allocator.reserved();
  };
  REQUIRE(grow(plain()) == (100 + 110 + 120 + 130) * kMiB);
  // 100 | 110 grow the range to 100 + 120 (10 MiB of the last page are left); 120 needs 110 more at
  // the end: 6 pages, 340; then the first 210 MiB are free, and 130 fits there.
  REQUIRE(grow(expandable()) == 340 * kMiB);
}

TEST_CASE("expandable segments map whole pages: 2 MiB small, 20 MiB large", "[sim][memory]") {
  CachingAllocator allocator = expandable();
  allocator.allocate(512);
  REQUIRE(allocator.reserved() == 2 * kMiB);
  allocator.allocate(15 * kMiB);
  REQUIRE(allocator.reserved() == 22 * kMiB);
  allocator.allocate(5 * kMiB);  // the rest of the page
  REQUIRE(allocator.reserved() == 22 * kMiB);
}

TEST_CASE("at the limit unused segments are given back before more is reserved", "[sim][memory]") {
  CachingAllocator allocator({.limit = 100 * kMiB});
  const auto a = allocator.allocate(40 * kMiB);
  const auto b = allocator.allocate(50 * kMiB);
  allocator.free(a);
  allocator.allocate(48 * kMiB);  // 40 + 50 + 48 > 100: the first segment goes
  REQUIRE(allocator.reserved() == 98 * kMiB);
  REQUIRE(allocator.peak_reserved() == 98 * kMiB);
  allocator.allocate(20 * kMiB);  // nothing left to give back
  REQUIRE(allocator.reserved() == 118 * kMiB);
  allocator.free(b);
}

TEST_CASE("the same requests lead to the same state, others do not", "[sim][memory]") {
  CachingAllocator one = plain();
  CachingAllocator two = plain();
  one.free(one.allocate(30 * kMiB));
  two.free(two.allocate(30 * kMiB));
  REQUIRE(one.state() == two.state());
  two.allocate(10 * kMiB);
  REQUIRE(one.state() != two.state());
}
