#include "sim/memory_timeline.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace stepcast {
namespace {

using Parts = std::array<Bytes, kNumMemoryParts>;

Bytes sum(const Parts& parts) {
  Bytes total;
  for (const Bytes part : parts) total += part;
  return total;
}

Bytes& part_of(Parts& parts, MemoryPart part) { return parts[static_cast<std::size_t>(part)]; }

// Follows the compute stream; an allocation happens when the timed instruction before it has ended.
StageMemory peak_of(const RankProgram& rank, const std::vector<Span>& spans) {
  StageMemory peak;
  Parts alive = rank.resident;
  peak.parts = alive;
  peak.allocated = sum(alive);
  std::size_t next_span = 0;
  Seconds now;
  const std::vector<Instruction>& instructions = rank.stream(Stream::Compute);
  for (std::size_t i = 0; i < instructions.size(); ++i) {
    const InstructionKind kind = instructions[i].kind;
    for (; next_span < spans.size() && spans[next_span].instruction <= static_cast<int>(i);
         ++next_span) {
      now = spans[next_span].end;
    }
    if (kind != InstructionKind::Allocate && kind != InstructionKind::Free) continue;
    const TensorShape& tensor = rank.tensors[static_cast<std::size_t>(instructions[i].index)];
    if (tensor.on_host) continue;
    part_of(alive, tensor.part) += kind == InstructionKind::Allocate ? tensor.size : -tensor.size;
    if (sum(alive) > peak.allocated) {
      peak.allocated = sum(alive);
      peak.parts = alive;
      peak.peak_at = now;
    }
  }
  return peak;
}

// What one rank keeps in its node's memory at most: state and offloaded activations.
Bytes host_peak_of(const RankProgram& rank) {
  Bytes alive = sum(rank.host_resident);
  Bytes peak = alive;
  for (const Instruction& instruction : rank.stream(Stream::Compute)) {
    const bool allocates = instruction.kind == InstructionKind::Allocate;
    if (!allocates && instruction.kind != InstructionKind::Free) continue;
    const TensorShape& tensor = rank.tensors[static_cast<std::size_t>(instruction.index)];
    if (!tensor.on_host) continue;
    alive += allocates ? tensor.size : -tensor.size;
    peak = std::max(peak, alive);
  }
  return peak;
}

// What the caching allocator and the driver take besides tensors.
void add_overheads(StageMemory& stage, const RankProgram& rank, const FrameworkProfile& framework) {
  const Bytes changing = part_of(stage.parts, MemoryPart::Activations) +
                         part_of(stage.parts, MemoryPart::Logits) +
                         part_of(stage.parts, MemoryPart::Temporary);
  const Bytes fragments = changing * framework.memory.fragmentation.value;
  stage.reserved = stage.allocated + fragments;
  stage.device = stage.reserved + rank.outside_allocator;
  part_of(stage.parts, MemoryPart::Temporary) += fragments;
  part_of(stage.parts, MemoryPart::Context) += rank.outside_allocator;
}

}  // namespace

std::vector<StageMemory> stage_memory(const FoldedProgram& folded, const Timeline& timeline,
                                      const FrameworkProfile& framework) {
  std::vector<StageMemory> stages(folded.program->programs.size());
  std::vector<char> known(stages.size(), 0);
  for (std::size_t r = 0; r < folded.ranks.size(); ++r) {
    const auto stage = static_cast<std::size_t>(folded.ranks[r].program);
    if (known[stage]) continue;
    known[stage] = 1;
    const auto& spans = timeline.ranks[r].streams[static_cast<std::size_t>(Stream::Compute)];
    stages[stage] = peak_of(folded.text(static_cast<int>(r)), spans);
    stages[stage].stage = static_cast<int>(stage);
    stages[stage].host = host_peak_of(folded.text(static_cast<int>(r)));
    add_overheads(stages[stage], folded.text(static_cast<int>(r)), framework);
  }
  return stages;
}

double out_of_memory_probability(Bytes device, Bytes capacity, double spread) {
  if (device <= Bytes()) return 0.0;
  const double margin = std::log(capacity / device);
  if (spread <= 0.0) return margin < 0.0 ? 1.0 : 0.0;
  return boost::math::cdf(boost::math::complement(boost::math::normal(), margin / spread));
}

}  // namespace stepcast
