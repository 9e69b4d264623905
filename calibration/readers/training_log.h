// What training frameworks write while they run, whoever wrote it: times of iterations, timers,
// memory. One reader a format; which one a file needs is read_training_log's job.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "scenarios/scenario.h"

namespace stepcast {

/// One logged iteration, or the mean of those since the last logged one. A time or a rate, as the
/// format has it.
struct LoggedIteration {
  std::int64_t iteration = 0;
  std::optional<Seconds> time;
  std::optional<double> samples_per_s;
  int line = 0;  ///< of the file, from 1
};

/// A part of the iteration that the framework times itself: the slowest rank's, mean over the log.
struct LoggedTimer {
  std::string name;
  Seconds mean;
  int count = 0;
};

struct LoggedMemory {
  MemoryKind kind = MemoryKind::Reserved;
  Bytes peak;  ///< the largest of the log
  int line = 0;
};

struct TrainingLog {
  std::string file;
  std::string_view format;  ///< "Megatron-LM", "DeepSpeed", "PyTorch profiler" or "MLPerf"
  std::vector<LoggedIteration> iterations;
  std::vector<LoggedTimer> timers;
  std::vector<LoggedMemory> memory;
  std::optional<std::int64_t> global_batch;
  /// What Megatron-LM computes before it starts: weights, gradients and optimizer state of the
  /// fullest rank. A claim, not a measurement.
  std::optional<Bytes> theoretical_state;
};

/// Iteration lines ("elapsed time per iteration (ms): ..." or "(s)"), timers in both layouts,
/// reports of memory and theoretical footprints.
TrainingLog parse_megatron_log(std::string_view text, const std::string& file);

/// Lines of the throughput timer ("CurrSamplesPerSec=..."), of the pipeline engine ("iter time
/// (s)"), of the wall-clock breakdown ("time (ms) | fwd: ...") and of the flops profiler.
TrainingLog parse_deepspeed_log(std::string_view text, const std::string& file);

/// ":::MLLOG {...}" lines: tracked_stats with train_step_time or throughput, blocks with
/// samples_count, and global_batch_size.
TrainingLog parse_mlperf_log(std::string_view text, const std::string& file);

/// Recognises the format by what the lines hold and reads it. Throws InputError with the line where
/// a line is cut off or holds no number where one is due, and where no format is recognised.
TrainingLog parse_training_log(std::string_view text, const std::string& file);
TrainingLog read_training_log(const std::string& file);

}  // namespace stepcast
