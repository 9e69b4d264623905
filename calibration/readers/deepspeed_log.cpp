// DeepSpeed's log: deepspeed/utils/timer.py (throughput and wall-clock timers), the pipeline
// engine's line, profiling/flops_profiler.
#include <fmt/format.h>

#include <algorithm>

#include "base/text_lines.h"
#include "calibration/readers/log_fields.h"

namespace stepcast {
namespace {

constexpr double kGibi = 1024.0 * 1024.0 * 1024.0;

class DeepspeedReader {
 public:
  explicit DeepspeedReader(const std::string& file) {
    log_.file = file;
    log_.format = "DeepSpeed";
  }

  void read_line(std::string_view line, std::size_t number) {
    place_ = line_place(log_.file, number);
    line_ = static_cast<int>(number) + 1;
    if (line.find("CurrSamplesPerSec") != std::string_view::npos) return read_throughput(line);
    if (line.find("iter time (s)") != std::string_view::npos) return read_pipeline_step(line);
    if (const auto timers = text_after(line, "time (ms) |", "")) return read_timers(*timers);
    read_profile(line);
  }

  TrainingLog finish() {
    if (log_.iterations.empty() && profiled_) {
      log_.iterations.push_back({0, profiled_, std::nullopt, profiled_line_});
    }
    check_iterations(log_,
                     "lines with \"CurrSamplesPerSec=\" or \"iter time (s):\", or a summary of "
                     "the flops profiler");
    return std::move(log_);
  }

 private:
  // "epoch=0/micro_step=16/global_step=4, RunningAvgSamplesPerSec=5.1, CurrSamplesPerSec=5.2,
  //  MemAllocated=12.1GB, MaxMemAllocated=45.3GB"
  void read_throughput(std::string_view line) {
    LoggedIteration iteration;
    iteration.line = line_;
    const auto step = number_after(line, "global_step=", place_);
    iteration.iteration = step ? static_cast<std::int64_t>(*step) : 0;
    iteration.samples_per_s = positive_after(line, "CurrSamplesPerSec=", place_);
    log_.iterations.push_back(iteration);
    if (const auto peak = number_after(line, "MaxMemAllocated=", place_, "G,")) {
      add_memory(log_.memory, MemoryKind::Allocated, Bytes(*peak * kGibi), line_);
    }
  }

  // "steps: 10 loss: 7.1234 iter time (s): 1.234 samples/sec: 415.0"
  void read_pipeline_step(std::string_view line) {
    LoggedIteration iteration;
    iteration.line = line_;
    if (const auto step = number_after(line, "steps:", place_)) {
      iteration.iteration = static_cast<std::int64_t>(*step);
    }
    iteration.time = Seconds(*positive_after(line, "iter time (s):", place_));
    log_.iterations.push_back(iteration);
  }

  // "fwd_microstep: 12.3 | bwd_microstep: 45.6 | ..."
  void read_timers(std::string_view text) {
    while (!text.empty()) {
      const std::string_view field = text.substr(0, text.find('|'));
      text.remove_prefix(std::min(text.size(), field.size() + 1));
      const std::size_t colon = field.find(':');
      if (colon == std::string_view::npos) continue;
      const auto words = words_of(field.substr(colon + 1));
      const std::string_view name = without_blanks_around(field.substr(0, colon));
      const auto ms = words.empty() ? std::nullopt : finite_number(words.front());
      if (!ms)
        throw InputError(place_, fmt::format("timer \"{}\" has no time", name),
                         "the log seems to be cut off");
      add_timer(log_.timers, name, Seconds(*ms / 1e3));
    }
  }

  // "iter latency:   1.23 s" and "fwd latency: 123.4 ms" of the flops profiler's summary.
  void read_profile(std::string_view line) {
    for (const std::string_view name :
         {"iter latency", "fwd latency", "bwd latency", "step latency"}) {
      const std::string_view text = without_blanks_around(line);
      if (!text.starts_with(name)) continue;
      const auto words = words_of(text.substr(text.find(':') + 1));
      const auto figure = words.empty() ? std::nullopt : finite_number(words.front());
      if (!figure || words.size() < 2) {
        throw InputError(place_, fmt::format("\"{}\" has no time", name),
                         "the log seems to be cut off");
      }
      const Seconds time(*figure * unit(words[1]));
      add_timer(log_.timers, name, time);
      if (name != "iter latency") return;
      profiled_ = time;
      profiled_line_ = line_;
      return;
    }
  }

  double unit(std::string_view word) const {
    if (word == "s") return 1;
    if (word == "ms") return 1e-3;
    if (word == "us") return 1e-6;
    throw InputError(place_,
                     fmt::format("\"{}\" is no unit of time that the profiler writes", word));
  }

  TrainingLog log_;
  InputPlace place_;
  int line_ = 0;
  std::optional<Seconds> profiled_;  ///< an iteration under the flops profiler: slower than others
  int profiled_line_ = 0;
};

}  // namespace

TrainingLog parse_deepspeed_log(std::string_view text, const std::string& file) {
  DeepspeedReader reader(file);
  const std::vector<std::string_view> lines = text_lines(text, file);
  for (std::size_t i = 0; i < lines.size(); ++i) reader.read_line(lines[i], i);
  return reader.finish();
}

}  // namespace stepcast
