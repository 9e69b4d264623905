// Reads what nccl-tests (and rccl-tests) print: all_reduce_perf and its siblings, old and new table
// layouts, with or without the launcher's prefixes and NCCL's own lines in between. Which cluster a
// log was taken on is not read from it: its text does not say so reliably.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/units.h"
#include "models/collectives.h"

namespace stepcast {

struct NcclTestsRow {
  Bytes size;            ///< as nccl-tests counts it; see collective_candidates for what it counts
  Seconds out_of_place;  ///< mean time of one call
  std::optional<Seconds> in_place;
  int line = 0;  ///< of the file, from 1
};

/// The rows under one header. Sizes may repeat, and may be 0.
struct NcclTestsTable {
  /// "all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce", "all_to_all",
  /// "send_receive", "gather", "scatter" or "hypercube"; empty where the log does not say.
  std::string collective;
  std::optional<int> ranks;      ///< from the list of ranks, where there is one
  std::optional<int> processes;  ///< from the same
  std::vector<NcclTestsRow> rows;
};

struct NcclTestsLog {
  std::string file;
  std::vector<std::pair<std::string, std::string>> headers;  ///< "# key: value" before the tables
  std::vector<NcclTestsTable> tables;                        ///< at least one, none without rows
};

/// Understands launchers' prefixes ("[1,0]<stdout>:", "0: "), comments anywhere, NCCL's lines
/// between rows and inside them (nccl-tests prints a row's size before it runs it), rows without a
/// header, and several tables. Throws InputError with the line where a table lacks columns, a row
/// is cut off or holds no time, and where there is no row at all.
NcclTestsLog read_nccl_tests(const std::string& file);
NcclTestsLog parse_nccl_tests(std::string_view text, const std::string& file);

/// "AllReduce", "all-reduce" or "allreduce" as above: "all_reduce"; empty where it is none of them.
std::string_view canonical_collective(std::string_view name);

/// The collective that the model knows under a table's name; a reduce costs what a broadcast does
/// (the same ring, run backwards). Empty where it is not modelled.
std::optional<CollectiveKind> modelled_kind(std::string_view collective);

}  // namespace stepcast
