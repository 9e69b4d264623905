#include "reports/comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/contract.h"
#include "reports/numbers.h"
#include "reports/text.h"

namespace stepcast {
namespace {

double gpu_seconds_per_million_tokens(const StepReport& report) {
  return report.gpus / report.tokens_per_s * 1e6;
}

Move move_of(const StepReport& from, const StepReport& to, double StepReport::*figure) {
  return {from.*figure, to.*figure};
}

PartMove part_move(const StepReport& from, const StepReport& to, std::size_t part) {
  PartMove move;
  move.seconds = {from.breakdown[part].value(), to.breakdown[part].value()};
  move.share = move.seconds.change() / (to.step_time - from.step_time).value();
  if (!std::isfinite(move.share)) move.share = std::nan("");
  const auto per_tokens = [&](const StepReport& report) {
    return gpu_seconds_per_million_tokens(report) * (report.breakdown[part] / report.step_time);
  };
  move.gpu_seconds_per_million_tokens = {per_tokens(from), per_tokens(to)};
  return move;
}

std::vector<FigureMove> figure_moves(const StepReport& from, const StepReport& to) {
  std::vector<FigureMove> figures{
      {"gpus", {double(from.gpus), double(to.gpus)}},
      {"step_time_s", {from.step_time.value(), to.step_time.value()}},
      {"tokens_per_s", move_of(from, to, &StepReport::tokens_per_s)},
      {"tokens_per_s_per_gpu", move_of(from, to, &StepReport::tokens_per_s_per_gpu)},
      {"mfu", move_of(from, to, &StepReport::mfu)},
      {"hfu", move_of(from, to, &StepReport::hfu)},
      {"peak_bytes", {from.memory_peak().value(), to.memory_peak().value()}},
      {"oom_probability", move_of(from, to, &StepReport::oom_probability)}};
  if (!from.cost || !to.cost) return figures;
  const auto add = [&](const char* key, const std::optional<double>& a,
                       const std::optional<double>& b) {
    if (a && b) figures.push_back({key, {*a, *b}});
  };
  add("usd_per_hour", from.cost->usd_per_hour, to.cost->usd_per_hour);
  add("usd_per_million_tokens", from.cost->usd_per_million_tokens, to.cost->usd_per_million_tokens);
  add("training_hours", from.cost->training_hours, to.cost->training_hours);
  add("training_usd", from.cost->training_usd, to.cost->training_usd);
  add("energy_kwh", from.cost->energy_kwh, to.cost->energy_kwh);
  return figures;
}

// The parts whose GPU time per token moved furthest the way that the whole did: the first, and the
// second where it moved at least half as far.
std::vector<std::string> drivers(const Moved& moved) {
  const double sign = moved.gpu_seconds_per_million_tokens.change() < 0.0 ? -1.0 : 1.0;
  std::vector<std::pair<double, std::string>> parts;
  for (std::size_t part = 0; part < kNumActivities; ++part) {
    parts.emplace_back(sign * moved.parts[part].gpu_seconds_per_million_tokens.change(),
                       activity_text(static_cast<Activity>(part)));
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  if (parts[1].first < parts[0].first / 2.0) return {parts[0].second};
  return {parts[0].second, parts[1].second};
}

constexpr double noticeable_share = 0.005;  ///< a share below this reads "the same"

std::string more_or_less(double ratio, const char* of_what) {
  if (std::abs(ratio - 1.0) < noticeable_share) return fmt::format("the same {}", of_what);
  return fmt::format("{} {} {}", share_text(std::abs(ratio - 1.0)), ratio > 1.0 ? "more" : "less",
                     of_what);
}

std::string driver_clause(const Moved& moved, double per_token_ratio) {
  const double gpu_time = moved.gpu_seconds_per_million_tokens.ratio() - 1.0;
  const bool explains = std::abs(gpu_time) >= noticeable_share &&
                        std::abs(per_token_ratio - 1.0) >= noticeable_share &&
                        (gpu_time > 0.0) == (per_token_ratio > 1.0);
  if (!explains) return "";
  return fmt::format(", mostly from {}", fmt::join(drivers(moved), " and "));
}

std::string price_clause(const Moved& moved, const StepReport& from, const StepReport& to) {
  if (from.cost && to.cost && from.cost->usd_per_hour > 0.0) {
    const double per_token = to.cost->usd_per_million_tokens / from.cost->usd_per_million_tokens;
    return fmt::format("for {} the price: {}{}",
                       factor_text(to.cost->usd_per_hour / from.cost->usd_per_hour),
                       more_or_less(per_token, "per token"), driver_clause(moved, per_token));
  }
  const double per_token = moved.gpu_seconds_per_million_tokens.ratio();
  return fmt::format("on {} the GPUs: {}{}", factor_text(double(to.gpus) / from.gpus),
                     more_or_less(per_token, "GPU time per token"),
                     driver_clause(moved, per_token));
}

std::string training_clause(const StepReport& from, const StepReport& to) {
  if (!from.cost || !to.cost) return "";
  const CostReport& a = *from.cost;
  const CostReport& b = *to.cost;
  if (!a.training_hours || !b.training_hours || !a.training_usd || !b.training_usd) return "";
  const double more = *b.training_usd - *a.training_usd;
  return fmt::format("; the whole training takes {} instead of {} and costs {} {}",
                     hours_text(*b.training_hours), hours_text(*a.training_hours),
                     usd_text(std::abs(more)), more < 0.0 ? "less" : "more");
}

std::string fit_clause(const StepReport& report, const std::string& name) {
  if (report.fits) return "";
  return fmt::format("; {} does not fit into memory (risk {})", name,
                     share_text(report.oom_probability));
}

std::string answer(const Moved& moved, const StepReport& from, const StepReport& to,
                   const std::string& from_name, const std::string& to_name) {
  return fmt::format("{}: {} the tokens/s of {} {}{}{}{}.", to_name,
                     factor_text(to.tokens_per_s / from.tokens_per_s), from_name,
                     price_clause(moved, from, to), training_clause(from, to),
                     fit_clause(from, from_name), fit_clause(to, to_name));
}

}  // namespace

Moved what_moved(const StepReport& from, const StepReport& to, const std::string& from_name,
                 const std::string& to_name) {
  Moved moved;
  moved.title = to.title;
  moved.step_seconds = {from.step_time.value(), to.step_time.value()};
  moved.gpu_seconds_per_million_tokens = {gpu_seconds_per_million_tokens(from),
                                          gpu_seconds_per_million_tokens(to)};
  for (std::size_t part = 0; part < kNumActivities; ++part) {
    moved.parts[part] = part_move(from, to, part);
  }
  moved.figures = figure_moves(from, to);
  moved.answer = answer(moved, from, to, from_name, to_name);
  return moved;
}

std::vector<Moved> what_moved(std::span<const Prediction> predictions) {
  STEPCAST_REQUIRES(predictions.size() >= 2);
  std::vector<Moved> all;
  for (std::size_t i = 1; i < predictions.size(); ++i) {
    all.push_back(
        what_moved(predictions[0].report, predictions[i].report, short_name(0), short_name(i)));
  }
  return all;
}

std::string short_name(std::size_t index) {
  if (index < 26) return std::string(1, static_cast<char>('A' + index));
  return fmt::format("#{}", index + 1);
}

}  // namespace stepcast
