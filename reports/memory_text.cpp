#include "reports/memory_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/unit_text.h"
#include "reports/numbers.h"
#include "reports/table.h"

namespace stepcast {
namespace {

std::vector<std::size_t> parts_in_use(const MemoryReport& memory) {
  std::vector<std::size_t> parts;
  for (std::size_t part = 0; part < kNumMemoryParts; ++part) {
    const bool used = std::any_of(memory.stages.begin(), memory.stages.end(),
                                  [&](const auto& stage) { return stage.parts[part] > Bytes(); });
    if (used) parts.push_back(part);
  }
  return parts;
}

std::string gib_text(Bytes amount) { return fmt::format("{:.2f}", amount / 1_GiB); }

}  // namespace

std::string memory_use_table(const MemoryReport& memory) {
  Table table({Align::Left, Align::Right, Align::Right, Align::Right, Align::Right, Align::Right,
               Align::Left});
  table.add_row({"stage", "allocated", "reserved", "device", "of capacity", "peak at"});
  for (const StageMemory& stage : memory.stages) {
    const double share = stage.device / memory.capacity;
    table.add_row({std::to_string(stage.stage), to_text(stage.allocated), to_text(stage.reserved),
                   to_text(stage.device), share_text(share), to_text(stage.peak_at),
                   share_bar(std::min(share, 1.0))});
  }
  return table.text();
}

std::string memory_parts_table(const MemoryReport& memory) {
  const std::vector<std::size_t> parts = parts_in_use(memory);
  Table table = Table::of_numbers(parts.size() + 1);
  std::vector<std::string> header{"stage"};
  for (const std::size_t part : parts) header.emplace_back(word(static_cast<MemoryPart>(part)));
  header.emplace_back("device");
  table.add_row(header);
  for (const StageMemory& stage : memory.stages) {
    std::vector<std::string> row{std::to_string(stage.stage)};
    for (const std::size_t part : parts) row.push_back(gib_text(stage.parts[part]));
    row.push_back(gib_text(stage.device));
    table.add_row(row);
  }
  return table.text();
}

std::string memory_peak_sentence(const StageMemory& stage) {
  if (stage.peak_instruction < 0) return "";
  std::string work(word(stage.peak_work));
  std::replace(work.begin(), work.end(), '_', ' ');
  if (stage.peak_micro_batch >= 0)
    work += fmt::format(" of micro-batch {}", stage.peak_micro_batch);
  return fmt::format("  Stage {} is fullest at {}, in {} (instruction {}).\n", stage.stage,
                     to_text(stage.peak_at), work, stage.peak_instruction);
}

std::string memory_timeline_table(const MemoryReport& memory) {
  constexpr std::size_t rows = 12;
  Table table({Align::Right, Align::Right, Align::Left});
  table.add_row({"at", "allocated"});
  const std::vector<MemoryPoint>& points = memory.timeline;
  const std::size_t stretch = std::max<std::size_t>(1, (points.size() + rows - 1) / rows);
  for (std::size_t first = 0; first < points.size(); first += stretch) {
    const auto begin = points.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end =
        points.begin() + static_cast<std::ptrdiff_t>(std::min(first + stretch, points.size()));
    const MemoryPoint& highest = *std::max_element(
        begin, end, [](const auto& a, const auto& b) { return a.allocated < b.allocated; });
    table.add_row({to_text(highest.at), to_text(highest.allocated),
                   share_bar(std::min(highest.allocated / memory.capacity, 1.0))});
  }
  return table.text();
}

}  // namespace stepcast
