// Megatron-LM's training log: megatron/training/training.py, training_log() and timers.py.
#include <fmt/format.h>

#include <algorithm>

#include "base/text_lines.h"
#include "calibration/readers/log_fields.h"

namespace stepcast {
namespace {

constexpr std::string_view elapsed_ms = "elapsed time per iteration (ms):";
constexpr std::string_view elapsed_s = "elapsed time per iteration (s):";
constexpr double kMebi = 1024.0 * 1024.0;

class MegatronReader {
 public:
  explicit MegatronReader(const std::string& file) {
    log_.file = file;
    log_.format = "Megatron-LM";
  }

  void read_line(std::string_view line, std::size_t number) {
    place_ = line_place(log_.file, number);
    line_ = static_cast<int>(number) + 1;
    if (is_iteration(line)) return read_iteration(line);
    if (line.find("time across ranks (ms)") != std::string_view::npos) return;
    if (const auto timers = text_after(line, "time (ms) |", "")) return read_timers(*timers);
    if (line.find("....") != std::string_view::npos) return read_timer_of_ranks(line);
    if (line.find("memory (MB) |") != std::string_view::npos) return read_memory(line);
    if (line.find("heoretical memory footprint") != std::string_view::npos) read_footprint(line);
  }

  TrainingLog finish() {
    check_iterations(log_,
                     "lines such as \"iteration 10/ 500 | ... | elapsed time per iteration "
                     "(ms): 12345.6 | ...\"");
    return std::move(log_);
  }

 private:
  static bool is_iteration(std::string_view line) {
    const std::size_t word = line.find("iteration ");
    if (word == std::string_view::npos || line.find("samples:") == std::string_view::npos) {
      return line.find("elapsed time per iteration") != std::string_view::npos;
    }
    return line.find('/', word) != std::string_view::npos;
  }

  void read_iteration(std::string_view line) {
    LoggedIteration iteration;
    iteration.line = line_;
    if (const auto number = number_after(line, "iteration ", place_, "/|")) {
      iteration.iteration = static_cast<std::int64_t>(*number);
    }
    if (const auto ms = positive_after(line, elapsed_ms, place_)) {
      iteration.time = Seconds(*ms / 1e3);
    } else if (const auto s = positive_after(line, elapsed_s, place_)) {
      iteration.time = Seconds(*s);
    } else {
      throw InputError(place_, "the iteration has no \"elapsed time per iteration\"",
                       "the log seems to be cut off");
    }
    if (const auto batch = number_after(line, "global batch size:", place_)) {
      log_.global_batch = static_cast<std::int64_t>(*batch);
    }
    log_.iterations.push_back(iteration);
  }

  // "forward-compute: 123.4 | optimizer: 5.6"
  void read_timers(std::string_view text) {
    while (!text.empty()) {
      const std::string_view field = text.substr(0, text.find('|'));
      text.remove_prefix(std::min(text.size(), field.size() + 1));
      const std::size_t colon = field.rfind(':');
      if (colon == std::string_view::npos) continue;
      const std::string_view name = without_blanks_around(field.substr(0, colon));
      const auto ms = finite_number(without_blanks_around(field.substr(colon + 1)));
      if (!ms) throw InputError(place_, fmt::format("timer \"{}\" has no time", name));
      add_timer(log_.timers, name, Seconds(*ms / 1e3));
    }
  }

  // "    forward-backward ........: (1234.5, 1240.1)": least and most over ranks.
  void read_timer_of_ranks(std::string_view line) {
    const std::size_t comma = line.rfind(',');
    const std::size_t end = line.rfind(')');
    const std::size_t open = line.rfind('(');
    if (open == std::string_view::npos) return;
    if (comma == std::string_view::npos || end == std::string_view::npos || end < comma) {
      throw InputError(place_, "the timer ends before its times", "the log seems to be cut off");
    }
    const auto most = finite_number(without_blanks_around(line.substr(comma + 1, end - comma - 1)));
    if (!most) throw InputError(place_, "the timer has no times");
    add_timer(log_.timers, without_blanks_around(line.substr(0, line.find("..."))),
              Seconds(*most / 1e3));
  }

  void read_memory(std::string_view line) {
    if (const auto mib = number_after(line, "max allocated:", place_)) {
      add_memory(log_.memory, MemoryKind::Allocated, Bytes(*mib * kMebi), line_);
    }
    if (const auto mib = number_after(line, "max reserved:", place_)) {
      add_memory(log_.memory, MemoryKind::Reserved, Bytes(*mib * kMebi), line_);
    }
  }

  void read_footprint(std::string_view line) {
    const auto mib = number_after(line, "weight and optimizer=", place_);
    if (mib) log_.theoretical_state = Bytes(*mib * kMebi);
  }

  TrainingLog log_;
  InputPlace place_;
  int line_ = 0;
};

}  // namespace

TrainingLog parse_megatron_log(std::string_view text, const std::string& file) {
  MegatronReader reader(file);
  const std::vector<std::string_view> lines = text_lines(text, file);
  for (std::size_t i = 0; i < lines.size(); ++i) reader.read_line(lines[i], i);
  return reader.finish();
}

}  // namespace stepcast
