#include "reports/nccl_tests_table.h"

#include <catch2/catch.hpp>

#include "calibration/readers/nccl_tests.h"

namespace stepcast {

TEST_CASE("a table of nccl-tests reads back to the same sizes, times and collective", "[reports]") {
  const CollectiveKind kind = GENERATE(CollectiveKind::AllReduce, CollectiveKind::AllGather,
                                       CollectiveKind::Broadcast, CollectiveKind::AllToAll);
  const std::vector<SweepRow> rows{{8_B, 12.34_us}, {1_MiB, 123.4_us}, {16_GiB, 98765_us}};
  const NcclTestsLog log = parse_nccl_tests(nccl_tests_table(kind, 8, rows, {}), "table");
  REQUIRE(log.tables.size() == 1);
  CHECK(modelled_kind(log.tables[0].collective) == kind);
  REQUIRE(log.tables[0].rows.size() == 3);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(log.tables[0].rows[i].size == rows[i].size);
    CHECK(log.tables[0].rows[i].out_of_place.value() == Approx(rows[i].time.value()));
    CHECK(log.tables[0].rows[i].in_place->value() == Approx(rows[i].time.value()));
  }
}

TEST_CASE("a row of nccl-tests' table, worked by hand", "[reports]") {
  // 8 ranks: 1 GiB in 8 ms is 134.22 GB/s of algorithm and 2 x 7/8 of that of bus bandwidth
  const std::vector<SweepRow> rows{{1_GiB, 8_ms}};
  const std::string text = nccl_tests_table(CollectiveKind::AllReduce, 8, rows, {});
  CHECK_THAT(text, Catch::Contains("  1073741824     268435456     float     sum      -1   8000.0"
                                   "  134.22  234.88    N/A"));
  CHECK_THAT(text, Catch::Contains("# Avg bus bandwidth    : 234.8810"));
}

TEST_CASE("sizes are whole elements, of every rank where the message is cut", "[reports]") {
  CHECK(nccl_tests_size(CollectiveKind::AllReduce, 10_B, 8) == 8_B);
  CHECK(nccl_tests_size(CollectiveKind::AllGather, 63_B, 8) == 32_B);  // 8 ranks x 4 B
  CHECK(nccl_tests_size(CollectiveKind::AllGather, 8_B, 8) == 0_B);
}

}  // namespace stepcast
