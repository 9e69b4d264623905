#include "cli/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "base/unit_text.h"
#include "reports/numbers.h"

namespace stepcast {
namespace {

constexpr std::chrono::milliseconds first_shown(800);
constexpr std::chrono::milliseconds refresh(200);
constexpr const char* clear_line = "\r\033[K";

double seconds_of(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

std::string progress_bar(std::size_t done, std::size_t total, double seconds) {
  constexpr std::size_t width = 30;
  const std::size_t filled = total == 0 ? width : width * done / total;
  std::string bar(filled, '=');
  if (filled < width) bar += ">" + std::string(width - filled - 1, ' ');
  std::string text = fmt::format("[{}] {} of {}", bar, count_text(static_cast<std::int64_t>(done)),
                                 count_text(static_cast<std::int64_t>(total)));
  if (done == 0 || done >= total) return text;
  const double left = seconds / static_cast<double>(done) * static_cast<double>(total - done);
  return text + fmt::format(", {} left", to_text(Seconds(std::ceil(left))));
}

ProgressLine::ProgressLine(bool quiet) : shown_(!quiet && isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (written_) std::fputs(clear_line, stderr);
}

bool ProgressLine::is_due() const {
  if (!shown_) return false;
  const Clock::time_point now = Clock::now();
  return written_ ? now - last_ >= refresh : now - begin_ >= first_shown;
}

void ProgressLine::show(const std::string& text) {
  if (!is_due()) return;
  written_ = true;
  last_ = Clock::now();
  std::fputs((clear_line + text).c_str(), stderr);
}

void ProgressLine::show_share(std::size_t done, std::size_t total) {
  if (is_due()) show(progress_bar(done, total, seconds_of(Clock::now() - begin_)));
}

void ProgressLine::show_elapsed(const std::string& work) {
  if (!is_due()) return;
  const double elapsed = seconds_of(Clock::now() - begin_);
  show(fmt::format("{}, {}", work, to_text(Seconds(std::floor(elapsed)))));
}

}  // namespace stepcast
