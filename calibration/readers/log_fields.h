// Fields inside lines of logs: "name: number |", "name=number". Private to readers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/input_error.h"
#include "calibration/readers/training_log.h"

namespace stepcast {

/// What follows `key` up to one of `ends`, without blanks; nothing where the key does not occur.
std::optional<std::string_view> text_after(std::string_view line, std::string_view key,
                                           std::string_view ends = "|,");

/// The same as a number; nothing where the key does not occur. Throws InputError where no number
/// follows it.
std::optional<double> number_after(std::string_view line, std::string_view key,
                                   const InputPlace& place, std::string_view ends = "|,");

/// As number_after, of a figure that must be above 0.
std::optional<double> positive_after(std::string_view line, std::string_view key,
                                     const InputPlace& place, std::string_view ends = "|,");

/// Adds a figure to the mean of a timer.
void add_timer(std::vector<LoggedTimer>& timers, std::string_view name, Seconds time);

/// Keeps the largest peak of a kind.
void add_memory(std::vector<LoggedMemory>& memory, MemoryKind kind, Bytes peak, int line);

/// Throws where a log that was recognised holds no iteration.
void check_iterations(const TrainingLog& log, const std::string& expected);

}  // namespace stepcast
