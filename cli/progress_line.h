// A line of progress on a terminal, for work that lasts.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace stepcast {

/// Written over and over on stderr, a few times a second, from the first second on: short work
/// shows nothing. Nothing where stderr is no terminal. Gone when the work is done.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// "[=====>         ] 37 of 73, 12 s left".
  void show_share(std::size_t done, std::size_t total);
  /// "fitting, 12 s": where nobody knows how much is left.
  void show_elapsed(const std::string& work);
  /// The line as it is given.
  void show(const std::string& text);

  /// Whether a line would be shown now: what is dear to write need not be written before.
  bool is_due() const;

 private:
  using Clock = std::chrono::steady_clock;

  bool shown_;
  bool written_ = false;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point last_ = begin_;
};

/// The bar with its numbers, of what took `seconds` so far. Seen by tests.
std::string progress_bar(std::size_t done, std::size_t total, double seconds);

}  // namespace stepcast
