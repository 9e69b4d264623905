#include "reports/nccl_tests_table.h"

#include <fmt/format.h>

#include <cmath>

namespace stepcast {
namespace {

constexpr double float_bytes = 4;

bool cut_among_ranks(CollectiveKind kind) {
  return kind == CollectiveKind::AllGather || kind == CollectiveKind::ReduceScatter ||
         kind == CollectiveKind::AllToAll;
}

bool reduces(CollectiveKind kind) {
  return kind == CollectiveKind::AllReduce || kind == CollectiveKind::ReduceScatter;
}

std::string time_cell(Seconds time) {
  const double microseconds = time.value() * 1e6;
  if (microseconds >= 9999.95) return fmt::format("{:7.0f}", microseconds);
  if (microseconds >= 99.995) return fmt::format("{:7.1f}", microseconds);
  return fmt::format("{:7.2f}", microseconds);
}

// algbw and busbw in GB/s; nothing sent in no time is no bandwidth.
double algorithm_bandwidth(const SweepRow& row) {
  return row.time > Seconds() ? row.size / row.time / 1_GB_per_s : 0.0;
}

std::string row_text(CollectiveKind kind, int ranks, const SweepRow& row) {
  const double elements = row.size.value() / float_bytes / (cut_among_ranks(kind) ? ranks : 1);
  const double bandwidth = algorithm_bandwidth(row);
  const std::string times = fmt::format("{} {:7.2f} {:7.2f} {:>6}", time_cell(row.time), bandwidth,
                                        bandwidth * bus_factor(kind, ranks), "N/A");
  return fmt::format("{:12.0f} {:13.0f} {:>9} {:>7} {:7}  {}  {}\n", row.size.value(), elements,
                     "float", reduces(kind) ? "sum" : "none",
                     kind == CollectiveKind::Broadcast ? 0 : -1, times, times);
}

}  // namespace

Bytes nccl_tests_size(CollectiveKind kind, Bytes size, int ranks) {
  const Bytes grain(float_bytes * (cut_among_ranks(kind) ? ranks : 1));
  return std::floor(size / grain) * grain;
}

std::string nccl_tests_table(CollectiveKind kind, int ranks, std::span<const SweepRow> rows,
                             std::span<const std::string> comments) {
  std::string text = fmt::format("# collective: {}\n", word(kind));
  for (const std::string& comment : comments) text += fmt::format("# {}\n", comment);
  text += fmt::format("#{:>67}{:>31}\n", "out-of-place", "in-place");
  const std::string_view columns = "   time   algbw   busbw #wrong";
  const std::string_view units = "   (us)  (GB/s)  (GB/s)       ";
  text += fmt::format("#{:>11} {:>13} {:>9} {:>7} {:>7}  {}  {}\n", "size", "count", "type",
                      "redop", "root", columns, columns);
  text += fmt::format("#{:>11} {:>13} {:>9} {:>7} {:>7}  {}  {}\n", "(B)", "(elements)", "", "", "",
                      units, units);
  double sum = 0;
  for (const SweepRow& row : rows) {
    text += row_text(kind, ranks, row);
    sum += algorithm_bandwidth(row) * bus_factor(kind, ranks);
  }
  const double average = rows.empty() ? 0 : sum / static_cast<double>(rows.size());
  return text + fmt::format("# Avg bus bandwidth    : {:.4f}\n", average);
}

}  // namespace stepcast
