#include "cli/search_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/unit_text.h"
#include "reports/numbers.h"

namespace stepcast {
namespace {

std::string cost_text(Objective objective, double cost) {
  switch (objective) {
    case Objective::StepTime:
      return to_text(Seconds(cost));
    case Objective::CostPerToken:
      return rounded_text(cost) + " USD/Mtoken";
    case Objective::TrainingCost:
      return usd_text(cost);
    case Objective::MemoryHeadroom:
      return to_text(Bytes(-cost)) + " free";
  }
  return "";
}

std::string gap_text(const SweepProgress& progress) {
  const double gap = (*progress.best - progress.bound) / std::abs(*progress.best);
  return share_text(std::max(gap, 0.0));
}

}  // namespace

std::string progress_text(const SweepProgress& progress, Objective objective, double rate) {
  std::string text = fmt::format("{} {} of {}", progress.bounding ? "bounded" : "predicted",
                                 count_text(static_cast<std::int64_t>(progress.done)),
                                 count_text(static_cast<std::int64_t>(progress.total)));
  if (rate > 0) text += fmt::format(", {} a second", rounded_text(rate));
  if (progress.best) {
    text +=
        fmt::format(", best {}, gap {}", cost_text(objective, *progress.best), gap_text(progress));
  }
  if (rate > 0) {
    const double left = static_cast<double>(progress.total - progress.done) / rate;
    text += fmt::format(", {} left", to_text(Seconds(std::ceil(left))));
  }
  return text;
}

SearchProgressLine::SearchProgressLine(const SearchGoal& goal, bool quiet)
    : objective_(goal.objective), line_(quiet) {}

void SearchProgressLine::show(const SweepProgress& progress) {
  const Clock::time_point now = Clock::now();
  if (!begun_ || bounding_ != progress.bounding) {
    begun_ = true;
    bounding_ = progress.bounding;
    done_before_ = progress.done;
    phase_begin_ = now;
  }
  if (!line_.is_due()) return;
  const double seconds = std::chrono::duration<double>(now - phase_begin_).count();
  const double rate =
      seconds > 0 ? static_cast<double>(progress.done - done_before_) / seconds : 0.0;
  line_.show(progress_text(progress, objective_, rate));
}

}  // namespace stepcast
