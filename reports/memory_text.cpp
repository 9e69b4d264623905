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

}  // namespace stepcast
