// Predicted collectives in nccl-tests' own table, so that what reads its logs reads them too.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "models/collectives.h"

namespace stepcast {

/// One row to be: the size that nccl-tests would run (a whole number of float elements a rank), and
/// the time.
struct SweepRow {
  Bytes size;
  Seconds time;
};

/// The size rounded down as nccl-tests does for floats: to whole elements, and where the message is
/// cut among the ranks to whole elements of each.
Bytes nccl_tests_size(CollectiveKind kind, Bytes size, int ranks);

/// The table with its two lines of header and the average bus bandwidth, preceded by
/// "# collective: ..." and `comments`. Out of place and in place take the same; nothing was
/// checked, so "#wrong" is N/A.
std::string nccl_tests_table(CollectiveKind kind, int ranks, std::span<const SweepRow> rows,
                             std::span<const std::string> comments);

}  // namespace stepcast
