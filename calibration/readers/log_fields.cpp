#include "calibration/readers/log_fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text_lines.h"

namespace stepcast {

std::optional<std::string_view> text_after(std::string_view line, std::string_view key,
                                           std::string_view ends) {
  const std::size_t found = line.find(key);
  if (found == std::string_view::npos) return std::nullopt;
  const std::string_view rest = line.substr(found + key.size());
  return without_blanks_around(rest.substr(0, rest.find_first_of(ends)));
}

std::optional<double> number_after(std::string_view line, std::string_view key,
                                   const InputPlace& place, std::string_view ends) {
  const std::optional<std::string_view> text = text_after(line, key, ends);
  if (!text) return std::nullopt;
  if (text->empty()) {
    throw InputError(place, fmt::format("the line ends after \"{}\"", key),
                     "the log seems to be cut off");
  }
  const std::string_view word = text->substr(0, text->find_first_of(" \t)]"));
  const std::optional<double> number = finite_number(word);
  if (!number) throw InputError(place, fmt::format("\"{}\" is no number after \"{}\"", word, key));
  return number;
}

std::optional<double> positive_after(std::string_view line, std::string_view key,
                                     const InputPlace& place, std::string_view ends) {
  const std::optional<double> number = number_after(line, key, place, ends);
  if (number && *number <= 0) {
    throw InputError(place, fmt::format("{} after \"{}\" is not above 0", *number, key));
  }
  return number;
}

void add_timer(std::vector<LoggedTimer>& timers, std::string_view name, Seconds time) {
  const auto known = std::find_if(timers.begin(), timers.end(),
                                  [&](const LoggedTimer& timer) { return timer.name == name; });
  LoggedTimer& timer =
      known == timers.end() ? timers.emplace_back(LoggedTimer{std::string(name), {}, 0}) : *known;
  ++timer.count;
  timer.mean += (time - timer.mean) / timer.count;
}

void add_memory(std::vector<LoggedMemory>& memory, MemoryKind kind, Bytes peak, int line) {
  for (LoggedMemory& known : memory) {
    if (known.kind != kind) continue;
    if (peak > known.peak) known = {kind, peak, line};
    return;
  }
  memory.push_back({kind, peak, line});
}

void check_iterations(const TrainingLog& log, const std::string& expected) {
  if (!log.iterations.empty()) return;
  throw InputError({log.file, ""},
                   fmt::format("this log of {} holds no time of an iteration", log.format),
                   "expected " + expected);
}

}  // namespace stepcast
