// Memory of every pipeline stage as tables for people.
#pragma once

#include <string>

#include "sim/step_report.h"

namespace stepcast {

/// How full each stage's GPUs get, with a bar for the share of the capacity.
std::string memory_use_table(const MemoryReport& memory);

/// When a stage is fullest and in what; empty where that is before its first instruction.
std::string memory_peak_sentence(const StageMemory& stage);

/// Allocated memory of the fullest stage over the step: the highest of each of a dozen stretches.
std::string memory_timeline_table(const MemoryReport& memory);

/// What each stage's GPUs hold at their peak, in GiB; parts that no stage has are left out.
std::string memory_parts_table(const MemoryReport& memory);

}  // namespace stepcast
