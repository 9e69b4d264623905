// Device memory over time, as nvidia-smi --query-gpu=... --format=csv or DCGM write it.
#pragma once

#include <string>
#include <string_view>

#include "base/units.h"

namespace stepcast {

struct DeviceMemoryLog {
  Bytes peak;       ///< the most that any GPU used
  int gpus = 0;     ///< of the table
  int samples = 0;  ///< rows
  int line = 0;     ///< of the peak
};

/// Whether the first line names a column of used memory.
bool is_memory_table(std::string_view text);

/// Columns: `memory.used [MiB]` or `DCGM_FI_DEV_FB_USED` (MiB), and `index`, `gpu` or `uuid` where
/// several GPUs are listed. Throws InputError with the line where a cell holds no number.
DeviceMemoryLog parse_memory_table(std::string_view text, const std::string& file);

}  // namespace stepcast
