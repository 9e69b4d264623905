#include "calibration/readers/memory_table.h"

#include <algorithm>
#include <set>

#include "base/text_lines.h"
#include "calibration/readers/csv_table.h"

namespace stepcast {
namespace {

const std::vector<std::string_view> used_columns{"memory.used [MiB]", "memory.used",
                                                 "DCGM_FI_DEV_FB_USED"};

}  // namespace

bool is_memory_table(std::string_view text) {
  const std::string_view header = text.substr(0, text.find('\n'));
  return std::any_of(used_columns.begin(), used_columns.end(), [&](std::string_view column) {
    return header.find(column) != std::string_view::npos;
  });
}

DeviceMemoryLog parse_memory_table(std::string_view text, const std::string& file) {
  constexpr double kMebi = 1024.0 * 1024.0;
  const CsvTable table = parse_csv(text, file);
  const auto used = table.find(used_columns);
  if (!used) throw InputError({file, ""}, "the table has no column \"memory.used [MiB]\"");
  const auto gpu = table.find({"index", "gpu", "uuid"});
  DeviceMemoryLog log;
  std::set<std::string_view> gpus;
  for (const CsvRow& row : table.rows) {
    ++log.samples;
    if (gpu) gpus.insert(row.cells[*gpu]);
    const Bytes memory(table.positive(row, *used) * kMebi);
    if (memory > log.peak) {
      log.peak = memory;
      log.line = row.line;
    }
  }
  log.gpus = std::max(1, static_cast<int>(gpus.size()));
  return log;
}

}  // namespace stepcast
