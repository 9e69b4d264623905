#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "base/input_error.h"
#include "calibration/readers/nccl_tests.h"

namespace stepcast {
namespace {

using Catch::Matchers::Contains;

const std::string new_header =
    "#       size         count      type   redop    root     time   algbw   busbw #wrong     time"
    "   algbw   busbw #wrong\n"
    "#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            "
    "(us)\n";
const std::string new_row =
    "     1048576        262144     float     sum      -1    83.56   12.55   23.53      0    83.09"
    "   12.62   23.66      0\n";

NcclTestsLog parse(const std::string& text) { return parse_nccl_tests(text, "log.txt"); }

std::string refusal(const std::string& text) {
  try {
    parse(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "read without complaint";
}

}  // namespace

TEST_CASE("nccl-tests: a row of the newer table gives size and both times", "[calibration]") {
  const NcclTestsLog log = parse(new_header + new_row);
  REQUIRE(log.tables.size() == 1);
  REQUIRE(log.tables[0].rows.size() == 1);
  const NcclTestsRow& row = log.tables[0].rows[0];
  REQUIRE(row.size == 1_MiB);
  REQUIRE(row.out_of_place.value() == Approx(83.56e-6).epsilon(1e-12));
  REQUIRE(row.in_place->value() == Approx(83.09e-6).epsilon(1e-12));
  REQUIRE(row.line == 3);
}

TEST_CASE("nccl-tests: the older table has an error column and no root, all-to-all no operation",
          "[calibration]") {
  const std::string header =
      "#  size  count  type  redop  time  algbw  busbw  error  time  algbw  busbw  error\n";
  const NcclTestsLog log = parse(header +
                                 "  64  16  float  sum  38.63  0.00  0.00  2e-07  38.85 0.00 0.00 "
                                 "1e-07\n"
                                 "  128  4  float  1.35  0.00  0.00  N/A  1.38  0.00  0.00  N/A\n");
  const auto& rows = log.tables.at(0).rows;
  REQUIRE(rows.size() == 2);
  REQUIRE(rows[0].out_of_place.value() == Approx(38.63e-6));
  REQUIRE(rows[1].out_of_place.value() == Approx(1.35e-6));
}

TEST_CASE("nccl-tests: a table without in-place columns is read", "[calibration]") {
  const NcclTestsLog log = parse(
      "# size count type redop root time algbw busbw #wrong\n 8 2 float sum -1 12.5 0.0 0.0 0\n");
  REQUIRE(log.tables.at(0).rows.at(0).out_of_place.value() == Approx(12.5e-6));
  REQUIRE_FALSE(log.tables[0].rows[0].in_place);
}

TEST_CASE("nccl-tests: launchers' prefixes and NCCL's lines do not disturb rows", "[calibration]") {
  const NcclTestsLog log =
      parse("[1,0]<stdout>:" + new_header + "[1,0]<stdout>:" + new_row +
            "node1:81:99 [0] NCCL INFO Channel 00/24 : 0 1 2 3\n" + "0: " + new_row);
  REQUIRE(log.tables.at(0).rows.size() == 2);
}

TEST_CASE("nccl-tests: a row that NCCL's lines cut in two is put together", "[calibration]") {
  const NcclTestsLog log =
      parse(new_header +
            "  2048  512  float  sum  -1node1:81:99 [0] NCCL INFO comm 0x55 rank 0\n"
            "node1:81:99 [0] NCCL INFO Launch mode Parallel\n"
            "   42.55    0.05    0.09      0    41.24    0.05    0.09      0\n");
  const NcclTestsRow& row = log.tables.at(0).rows.at(0);
  REQUIRE(row.size == 2_KiB);
  REQUIRE(row.out_of_place.value() == Approx(42.55e-6));
}

TEST_CASE("nccl-tests: several tables in a log stay apart, each with its collective",
          "[calibration]") {
  const NcclTestsLog log = parse("$ ./build/all_reduce_perf -b 8 -e 1G\n" + new_header + new_row +
                                 "# Avg bus bandwidth    : 23.53\n"
                                 "# Collective test starting: alltoall_perf\n" +
                                 new_header + new_row + new_row);
  REQUIRE(log.tables.size() == 2);
  REQUIRE(log.tables[0].collective == "all_reduce");
  REQUIRE(log.tables[0].rows.size() == 1);
  REQUIRE(log.tables[1].collective == "all_to_all");
  REQUIRE(log.tables[1].rows.size() == 2);
}

TEST_CASE("nccl-tests: headers of key and value, and ranks and processes from their list",
          "[calibration]") {
  const NcclTestsLog log = parse(
      "# nodes: 2\n# collective: reducescatter\n# Using devices\n"
      "#  Rank  0 Group  0 Pid    268 on host-a device  0 [0x11] A100\n"
      "#  Rank  1 Group  0 Pid    268 on host-a device  1 [0x12] A100\n"
      "#  Rank  3 Group  0 Pid    268 on host-b device  1 [0x12] A100\n" +
      new_header + new_row);
  REQUIRE(log.headers.front() == std::pair<std::string, std::string>("nodes", "2"));
  REQUIRE(log.tables[0].collective == "reduce_scatter");
  REQUIRE(log.tables[0].ranks == 4);      // rank 2's line is missing
  REQUIRE(log.tables[0].processes == 2);  // one process of the same number on each host
}

TEST_CASE("nccl-tests: rows without a header are read by nccl-tests' usual columns",
          "[calibration]") {
  REQUIRE(parse("# notes: none\n" + new_row).tables[0].rows.size() == 1);
}

TEST_CASE("nccl-tests: what is wrong with a log is named with its line", "[calibration]") {
  REQUIRE_THAT(refusal(""), Contains("log.txt: at /: the file is empty"));
  REQUIRE_THAT(refusal("\n  \n"), Contains("log.txt: at /: the file is empty"));
  REQUIRE_THAT(refusal(std::string("\x7f"
                                   "ELF\x02\x01\x00\x00",
                                   8)),
               Contains("log.txt: at line 1: this is no text"));
  REQUIRE_THAT(refusal("{ \"schema\": 1 }\n"),
               Contains("log.txt: at /: there is no row of a table of nccl-tests"));
  REQUIRE_THAT(refusal("# size count type time algbw #wrong\n 8 2 float 3.5 0.0 0\n"),
               Contains("log.txt: at line 1: the table has no column \"busbw\""));
  REQUIRE_THAT(refusal("# size type time algbw busbw #wrong\n 8 float 3.5 0.0 0.0 0\n"),
               Contains("log.txt: at line 1: the table has no column \"count\""));
  REQUIRE_THAT(refusal(new_header + new_row + "     2097152        524288     float     sum\n"),
               Contains("log.txt: at line 4: the row has 4 columns, expected 11 to 13"));
  REQUIRE_THAT(refusal(new_header + new_row + "     2097152        5242"),
               Contains("log.txt: at line 4: the row has 2 columns"));
  REQUIRE_THAT(refusal(new_header + "  8  float sum -1 8.71 0 0 0 8.66 0 0 0\n"),
               Contains("log.txt: at line 3: the row has 12 columns"));
  REQUIRE_THAT(refusal(new_header + "  8 2 float sum -1 fast 0 0 0 8.66 0 0 0\n"),
               Contains("log.txt: at line 3: \"fast\" is no time in microseconds"));
  REQUIRE_THAT(refusal(new_header), Contains("log.txt: at line 1: no row follows"));
}

TEST_CASE("nccl-tests: every published log reads, with its ranks' collective", "[calibration]") {
  const std::filesystem::path logs = "../shared/data/nccl_logs";
  if (!std::filesystem::exists(logs)) {
    WARN("skipped: no " + logs.string());
    return;
  }
  for (const auto& entry : std::filesystem::directory_iterator(logs)) {
    if (entry.path().extension() != ".txt") continue;
    CAPTURE(entry.path().string());
    const NcclTestsLog log = read_nccl_tests(entry.path().string());
    for (const NcclTestsTable& table : log.tables) REQUIRE(modelled_kind(table.collective));
  }
}

}  // namespace stepcast
