#include "calibration/cleaning.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "base/contract.h"
#include "base/unit_text.h"

namespace stepcast {
namespace {

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Of the median deviation, as a standard deviation over the median.
double relative_spread(std::span<const double> values, double median) {
  std::vector<double> deviations;
  for (const double value : values) deviations.push_back(std::abs(value / median - 1));
  return 1.4826 * median_of(std::move(deviations));
}

std::size_t length_of_warm_up(std::span<const double> series) {
  // Of a long series the second half is steady whatever the first one was.
  const auto rest = series.subspan(series.size() / 2);
  const double median = median_of({rest.begin(), rest.end()});
  const double beyond = 1 + std::max(0.05, 3 * relative_spread(rest, median));
  std::size_t length = 0;
  while (length < series.size() / 2 && series[length] > beyond * median) ++length;
  return length;
}

std::string list_of(const std::vector<std::size_t>& indices, const std::vector<int>& lines) {
  constexpr std::size_t kShown = 8;
  std::vector<int> shown;
  for (const std::size_t index : indices) {
    if (shown.size() < kShown) shown.push_back(lines[index]);
  }
  const bool all = shown.size() == indices.size();
  return fmt::format("line{} {}{}", indices.size() == 1 ? "" : "s", fmt::join(shown, ", "),
                     all ? "" : ", ...");
}

std::string several(std::size_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

struct Times {
  std::vector<double> seconds;
  std::vector<int> lines;
};

Times times_of(const TrainingLog& log, std::int64_t global_batch) {
  const std::int64_t batch = log.global_batch.value_or(global_batch);
  Times times;
  for (const LoggedIteration& iteration : log.iterations) {
    const double seconds = iteration.time ? iteration.time->value()
                                          : static_cast<double>(batch) / *iteration.samples_per_s;
    times.seconds.push_back(seconds);
    times.lines.push_back(iteration.line);
  }
  return times;
}

std::vector<std::string> findings_of(const SteadySeries& series, const Times& times) {
  std::vector<std::string> findings;
  if (!series.warm_up.empty()) {
    findings.push_back(fmt::format("warm-up: {} left out ({})",
                                   several(series.warm_up.size(), "iteration"),
                                   list_of(series.warm_up, times.lines)));
  }
  if (!series.stalls.empty()) {
    double lost = 0;
    for (const std::size_t i : series.stalls) lost += times.seconds[i] - series.median;
    findings.push_back(fmt::format("{} left out ({}), which lost {} beside the median",
                                   several(series.stalls.size(), "stall"),
                                   list_of(series.stalls, times.lines), to_text(Seconds(lost))));
  }
  if (!series.outliers.empty()) {
    findings.push_back(fmt::format("{} left out ({})", several(series.outliers.size(), "outlier"),
                                   list_of(series.outliers, times.lines)));
  }
  return findings;
}

double log_miss(const Evidence& evidence, const Profile& profile) {
  return std::log(evidence.measured / evidence.predict(profile));
}

}  // namespace

SteadySeries take_apart(std::span<const double> series) {
  STEPCAST_REQUIRES(!series.empty());
  SteadySeries parts;
  const std::size_t begin = length_of_warm_up(series);
  for (std::size_t i = 0; i < begin; ++i) parts.warm_up.push_back(i);
  const auto rest = series.subspan(begin);
  const double middle = median_of({rest.begin(), rest.end()});
  const double spread = relative_spread(rest, middle);
  std::vector<double> steady;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const double off = rest[i] / middle - 1;
    const bool beyond = std::abs(off) > std::max(0.05, 6 * spread);
    if (!beyond) {
      steady.push_back(rest[i]);
    } else {
      (off > 0.3 ? parts.stalls : parts.outliers).push_back(begin + i);
    }
  }
  parts.steady = steady.size();
  parts.median = median_of(steady);
  parts.spread = relative_spread(steady, parts.median);
  return parts;
}

SteadyStep steady_step(const TrainingLog& log, std::int64_t global_batch) {
  const Times times = times_of(log, global_batch);
  const SteadySeries series = take_apart(times.seconds);
  return {Seconds(series.median), series.spread, series.steady, findings_of(series, times)};
}

CleanCollectives without_stalls(std::vector<Evidence> rows, const Profile& profile) {
  constexpr std::ptrdiff_t kAround = 3;
  constexpr double kStalled = 1.8;
  std::vector<double> misses;
  for (const Evidence& row : rows) misses.push_back(log_miss(row, profile));
  CleanCollectives clean;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<std::ptrdiff_t>(i);
    const auto count = static_cast<std::ptrdiff_t>(misses.size());
    const auto begin = misses.begin() + std::max<std::ptrdiff_t>(0, at - kAround);
    const auto end = misses.begin() + std::min(count, at + kAround + 1);
    const double around = median_of({begin, end});
    if (end - begin < 4 || misses[i] - around < std::log(kStalled)) {
      clean.rows.push_back(std::move(rows[i]));
      continue;
    }
    clean.findings.push_back(fmt::format(
        "stall: line {} ({}) took {}, {:.1f} times what the rows around it suggest; left out",
        rows[i].line, rows[i].name, to_text(Seconds(rows[i].measured)),
        std::exp(misses[i] - around)));
  }
  return clean;
}

CleanCollectives one_row_for_each_size(std::vector<Evidence> rows, const Profile& profile) {
  constexpr double kSizesAnOctave = 8;
  std::map<std::tuple<CollectiveKind, int, bool, long>, std::vector<std::size_t>> sizes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    STEPCAST_REQUIRES(rows[i].collective);
    const CollectivePoint& point = *rows[i].collective;
    const long size = std::lround(kSizesAnOctave * std::log2(point.message.value()));
    sizes[{point.kind, point.ranks, point.in_place, size}].push_back(i);
  }
  std::set<std::size_t> medians;
  for (auto& [size, places] : sizes) {
    const auto middle = places.begin() + static_cast<std::ptrdiff_t>(places.size() / 2);
    std::nth_element(places.begin(), middle, places.end(), [&](std::size_t a, std::size_t b) {
      return log_miss(rows[a], profile) < log_miss(rows[b], profile);
    });
    medians.insert(*middle);
  }
  CleanCollectives clean;
  for (const std::size_t i : medians) clean.rows.push_back(std::move(rows[i]));
  if (clean.rows.size() < rows.size()) {
    clean.findings.push_back(
        fmt::format("{} rows repeat sizes: {} stand for them, of each its median", rows.size(),
                    clean.rows.size()));
  }
  return clean;
}

void check_units(std::span<const Evidence> evidence, const Profile& profile) {
  std::vector<double> misses;
  for (const Evidence& one : evidence) {
    if (one.kind != EvidenceKind::PeakMemory) misses.push_back(log_miss(one, profile));
  }
  if (misses.empty()) return;
  const double off = median_of(misses) / std::log(1000.0);
  if (std::abs(off) < 0.8 || std::abs(off) > 1.3) return;
  const InputPlace place{evidence.front().file, ""};
  const std::string_view seems = off < 0
                                     ? "milliseconds where microseconds are due, or seconds where "
                                       "milliseconds are"
                                     : "microseconds where milliseconds are due";
  throw InputError(
      place,
      fmt::format("the times are {:.0f} times {} than predicted: the units seem to be "
                  "mixed up",
                  std::exp(std::abs(median_of(misses))), off < 0 ? "shorter" : "longer"),
      fmt::format("they look like {}", seems));
}

std::string half_rate_finding(std::span<const Evidence> rows, const Profile& profile) {
  std::vector<double> rates;
  bool across = false;
  for (const Evidence& row : rows) {
    if (!row.collective || row.collective->message < 64_MiB) continue;
    rates.push_back(row.predict(profile) / row.measured);
    across = across || row.collective->nodes > 1;
  }
  if (rates.size() < 2) return {};
  const double rate = median_of(rates);
  if (rate < 0.42 || rate > 0.62) return {};
  return fmt::format(
      "half rate: messages from 64 MiB up run at {:.2f} of the predicted rate, as when one {} runs "
      "at half rate and the ring waits for it",
      rate, across ? "link or NIC between the nodes" : "link inside the node");
}

}  // namespace stepcast
