#include "sim/search/sweep.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "sim/search/search_worker.h"
#include "sim/wire.h"

namespace stepcast {
namespace {

constexpr int progress_ms = 100;  // between looks at progress and at whether to stop

// Layouts whose bounds one task asks for: few milliseconds each, so that workers end together.
constexpr std::size_t layouts_a_task = 32;

// Layouts handed out beyond the first without an answer, for each worker: enough to keep all busy.
constexpr std::size_t ahead = 4;

LayoutRow failed_row(std::size_t layout, const std::string& error) {
  LayoutRow row;
  row.layout = layout;
  row.error = error;
  return row;
}

// First phase: bounds of every layout that the database does not know.
class Bounding {
 public:
  Bounding(const LayoutSpace& space, RankCrew& crew, SweepDatabase& database,
           const SweepControl& control)
      : crew_(crew), database_(database), control_(control), bounds_(database.bounds()) {
    std::vector<char> known(space.size(), 0);
    for (const LayoutBounds& bounds : bounds_) known[bounds.layout] = 1;
    total_ = space.size();
    for (std::size_t layout = 0; layout < space.size(); ++layout) {
      if (known[layout]) continue;
      const bool goes_on = !tasks_.empty() && tasks_.back().count < layouts_a_task &&
                           tasks_.back().first + tasks_.back().count == layout;
      if (goes_on) {
        ++tasks_.back().count;
      } else {
        tasks_.push_back({SearchTask::Kind::Bound, layout, 1});
      }
    }
  }

  // By layout; nothing where the sweep was stopped.
  std::optional<std::vector<LayoutBounds>> run() {
    for (std::size_t open = tasks_.size(); open > 0;) {
      if (control_.stop()) return std::nullopt;
      for (; crew_.idle() > 0 && next_ < tasks_.size(); ++next_) {
        crew_.hand_out(next_, to_bytes(tasks_[next_]));
      }
      for (const CrewReport& report : crew_.wait(progress_ms)) {
        open += take(report);
        --open;
      }
      control_.progress({true, bounds_.size(), total_, {}, 0});
    }
    std::sort(bounds_.begin(), bounds_.end(),
              [](const auto& a, const auto& b) { return a.layout < b.layout; });
    return std::move(bounds_);
  }

 private:
  // Returns how many tasks were added: a worker that died of one of many layouts leaves each as a
  // task of its own.
  std::size_t take(const CrewReport& report) {
    const SearchTask task = tasks_[report.task];
    std::vector<LayoutBounds> answer;
    if (report.answer) {
      answer = from_bytes<std::vector<LayoutBounds>>(*report.answer);
    } else if (task.count == 1) {
      answer.push_back({task.first, {}, {}, report.failure});
    } else {
      for (std::size_t i = 0; i < task.count; ++i) {
        tasks_.push_back({SearchTask::Kind::Bound, task.first + i, 1});
      }
      return task.count;
    }
    database_.add(answer);
    bounds_.insert(bounds_.end(), answer.begin(), answer.end());
    return 0;
  }

  RankCrew& crew_;
  SweepDatabase& database_;
  const SweepControl& control_;
  std::vector<LayoutBounds> bounds_;
  std::vector<SearchTask> tasks_;
  std::size_t total_ = 0;
  std::size_t next_ = 0;
};

// A layout that its bounds do not rule out by themselves.
struct Candidate {
  LayoutBounds bounds;
  std::vector<double> costs;  // of its bounds

  std::size_t layout() const { return bounds.layout; }
};

// Second phase: candidates by bound, each judged against the front of those before it. A candidate
// without its analytic time is bounded by that before it is predicted.
class Judging {
 public:
  Judging(const LayoutSpace& space, std::vector<Candidate> candidates, RankCrew& crew,
          SweepDatabase& database, const SweepControl& control, SweepResult& result)
      : space_(space),
        goal_(space.request().keys.goal),
        candidates_(std::move(candidates)),
        crew_(crew),
        database_(database),
        control_(control),
        result_(result) {
    for (LayoutRow& row : database_.rows()) known_.emplace(row.layout, std::move(row));
  }

  // Whether it came to its end.
  bool run() {
    while (!is_done()) {
      if (control_.stop()) return false;
      hand_out();
      if (!judge_answered()) take(crew_.wait(progress_ms));
      control_.progress(progress());
    }
    result_.bounded += candidates_.size() - first_open_;
    return true;
  }

  // The least first cost that is still possible; requires that it did not come to its end.
  double open_bound() const { return candidates_[first_open_].costs.front(); }

 private:
  // With one objective, the first bound that cannot win ends it: later ones are no lower.
  bool is_done() const {
    if (first_open_ == candidates_.size()) return true;
    const std::vector<double>& costs = candidates_[first_open_].costs;
    return costs.size() == 1 && result_.front.covers(costs);
  }

  void hand_out() {
    const std::size_t end = std::min(
        candidates_.size(), first_open_ + ahead * static_cast<std::size_t>(crew_.size()) + 1);
    for (std::size_t i = first_open_; i < end && crew_.idle() > 0; ++i) {
      const std::optional<SearchTask::Kind> task = next_task(candidates_[i]);
      if (!task) continue;
      const std::size_t layout = candidates_[i].layout();
      crew_.hand_out(layout, to_bytes(SearchTask{*task, layout, 1}));
      in_work_.emplace(layout, *task);
    }
  }

  // What is to be found out of a candidate; nothing where all is known or asked.
  std::optional<SearchTask::Kind> next_task(const Candidate& candidate) const {
    const std::size_t layout = candidate.layout();
    if (in_work_.contains(layout) || known_.contains(layout) || fresh_.contains(layout)) return {};
    if (result_.front.covers(candidate.costs)) return {};
    const std::optional<Seconds> analytic = analytic_time(candidate);
    if (!analytic) return SearchTask::Kind::Tighten;
    if (result_.front.covers(costs_of(layout, tightened(candidate, *analytic)))) return {};
    return SearchTask::Kind::Predict;
  }

  std::optional<Seconds> analytic_time(const Candidate& candidate) const {
    const auto fresh = tightened_.find(candidate.layout());
    return fresh == tightened_.end() ? candidate.bounds.analytic : fresh->second.analytic;
  }

  static LayoutFigures tightened(const Candidate& candidate, Seconds analytic) {
    LayoutFigures figures = candidate.bounds.figures;
    figures.step_time = analytic;
    return figures;
  }

  std::vector<double> costs_of(std::size_t layout, const LayoutFigures& figures) const {
    return costs(goal_, space_.base(space_.variant_of(layout)), space_.batch(layout), figures);
  }

  bool allows(std::size_t layout, const LayoutFigures& figures) const {
    return is_allowed(goal_, space_.base(space_.variant_of(layout)), space_.batch(layout), figures);
  }

  void take(const std::vector<CrewReport>& reports) {
    for (const CrewReport& report : reports) {
      const SearchTask::Kind kind = in_work_.at(report.task);
      in_work_.erase(report.task);
      if (!report.answer) {
        fresh_.emplace(report.task, failed_row(report.task, report.failure));
      } else if (kind == SearchTask::Kind::Predict) {
        fresh_.emplace(report.task, from_bytes<LayoutRow>(*report.answer));
      } else {
        take_tightened(from_bytes<std::vector<LayoutBounds>>(*report.answer).at(0));
      }
    }
  }

  void take_tightened(const LayoutBounds& bounds) {
    if (bounds.error.empty()) {
      tightened_.emplace(bounds.layout, bounds);
    } else {
      fresh_.emplace(bounds.layout, failed_row(bounds.layout, bounds.error));
    }
  }

  // Judges the next candidates as far as is known; false where the first is not.
  bool judge_answered() {
    const std::size_t before = first_open_;
    while (!is_done() && judge(candidates_[first_open_])) ++first_open_;
    return first_open_ > before;
  }

  // False where too little is known yet. Writes to the database in the order of the candidates, so
  // that what stands there does not depend on who answers first.
  bool judge(const Candidate& candidate) {
    const std::size_t layout = candidate.layout();
    if (result_.front.covers(candidate.costs)) {
      ++result_.bounded;
      return true;
    }
    const auto fresh = fresh_.find(layout);
    const bool failed = fresh != fresh_.end() && !fresh->second.error.empty();
    if (const auto analytic = analytic_time(candidate); analytic && !failed) {
      if (!candidate.bounds.analytic) keep_tightened(layout);
      const LayoutFigures figures = tightened(candidate, *analytic);
      const bool allowed = allows(layout, figures);
      if (!allowed || result_.front.covers(costs_of(layout, figures))) {
        ++(allowed ? result_.bounded : result_.not_allowed);
        return true;
      }
    }
    if (const auto known = known_.find(layout); known != known_.end()) {
      count(known->second);
      return true;
    }
    if (fresh == fresh_.end()) return false;
    database_.add(fresh->second);
    count(fresh->second);
    return true;
  }

  void keep_tightened(std::size_t layout) {
    const auto found = tightened_.find(layout);
    if (kept_.insert(layout).second) database_.tighten(found->second);
  }

  void count(const LayoutRow& row) {
    result_.rows.push_back(row);
    if (!row.error.empty()) {
      ++result_.failed;
      return;
    }
    ++(row.engine == "event" ? result_.simulated : result_.certified);
    if (allows(row.layout, row.figures)) {
      result_.front.add(row.layout, costs_of(row.layout, row.figures));
    }
  }

  SweepProgress progress() const {
    SweepProgress progress{false, result_.rows.size(), result_.rows.size(), {}, 0};
    const auto& front = result_.front.members();
    if (!front.empty()) progress.best = front.front().costs.front();
    for (std::size_t i = first_open_; i < candidates_.size(); ++i) {
      const bool covered = result_.front.covers(candidates_[i].costs);
      if (covered && candidates_[i].costs.size() == 1) break;
      if (!covered) ++progress.total;
    }
    if (first_open_ < candidates_.size()) progress.bound = open_bound();
    return progress;
  }

  const LayoutSpace& space_;
  const SearchGoal& goal_;
  std::vector<Candidate> candidates_;
  RankCrew& crew_;
  SweepDatabase& database_;
  const SweepControl& control_;
  SweepResult& result_;
  std::map<std::size_t, LayoutRow> known_;           // from the database
  std::map<std::size_t, LayoutRow> fresh_;           // answered, some of them not yet judged
  std::map<std::size_t, LayoutBounds> tightened_;    // with their analytic times
  std::set<std::size_t> kept_;                       // of those, what the database has
  std::map<std::size_t, SearchTask::Kind> in_work_;  // handed out
  std::size_t first_open_ = 0;                       // candidates before it are judged
};

// Those whose bounds do not rule them out, by bound; counts the others.
std::vector<Candidate> candidates_of(const std::vector<LayoutBounds>& all, const LayoutSpace& space,
                                     SweepResult& result) {
  const SearchGoal& goal = space.request().keys.goal;
  std::vector<Candidate> candidates;
  for (const LayoutBounds& bounds : all) {
    if (!bounds.error.empty()) {
      ++result.failed;
      result.rows.push_back(failed_row(bounds.layout, bounds.error));
      continue;
    }
    const Scenario& base = space.base(space.variant_of(bounds.layout));
    const Batch batch = space.batch(bounds.layout);
    if (is_allowed(goal, base, batch, bounds.figures)) {
      candidates.push_back({bounds, costs(goal, base, batch, bounds.figures)});
    } else {
      ++result.not_allowed;
    }
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.costs, a.bounds.layout) < std::tie(b.costs, b.bounds.layout);
  });
  return candidates;
}

std::optional<double> gap_to(double bound, const Front& front) {
  if (front.members().empty()) return std::nullopt;
  const double best = front.members().front().costs.front();
  return (best - std::min(best, bound)) / std::abs(best);
}

}  // namespace

SweepResult sweep(const LayoutSpace& space, RankCrew& crew, SweepDatabase& database,
                  const SweepControl& control) {
  SweepResult result;
  result.valid = space.size();
  const auto bounds = Bounding(space, crew, database, control).run();
  if (!bounds) return result;
  Judging judging(space, candidates_of(*bounds, space, result), crew, database, control, result);
  const bool finished = judging.run();
  result.proven = finished && result.failed == 0;
  if (!finished) result.gap = gap_to(judging.open_bound(), result.front);
  return result;
}

}  // namespace stepcast
