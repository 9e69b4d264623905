#include "sim/fusing.h"

#include <algorithm>

namespace stepcast {
namespace {

const FoldedCommunicator& communicator_of(const FoldedProgram& folded, int rank_class,
                                          const Instruction& instruction) {
  return folded
      .communicators[static_cast<std::size_t>(communicator_index(folded, rank_class, instruction))];
}

const std::vector<Instruction>& body_of(const FoldedProgram& folded, int rank_class, int block) {
  return folded.text(rank_class).blocks[static_cast<std::size_t>(block)].body;
}

bool meets_others(const FoldedProgram& folded, int rank_class, const Instruction& instruction) {
  return instruction.kind == InstructionKind::Collective &&
         communicator_of(folded, rank_class, instruction).arrivals.size() > 1;
}

// Where the collectives of a block meet other classes; nothing if in more than one communicator.
// -1: they meet nobody.
std::optional<int> meeting_place(const FoldedProgram& folded, int rank_class, int block) {
  int place = -1;
  for (const Instruction& instruction : body_of(folded, rank_class, block)) {
    if (!meets_others(folded, rank_class, instruction)) continue;
    const int communicator = communicator_index(folded, rank_class, instruction);
    if (place >= 0 && place != communicator) return std::nullopt;
    place = communicator;
  }
  return place;
}

// Whether all that arrive there are classes of one program, which call it by the same number, and
// meet nobody elsewhere in the block.
bool all_alike(const FoldedProgram& folded, int communicator, int block) {
  const auto& arrivals = folded.communicators[static_cast<std::size_t>(communicator)].arrivals;
  return std::all_of(arrivals.begin(), arrivals.end(), [&](const Arrival& arrival) {
    return &folded.text(arrival.rank_class) == &folded.text(arrivals.front().rank_class) &&
           arrival.local_number == arrivals.front().local_number &&
           meeting_place(folded, arrival.rank_class, block) == communicator;
  });
}

// A class's own time up to each meeting of a block, and after the last.
std::vector<Seconds> stretches(const FoldedProgram& folded, int rank_class, int block) {
  std::vector<Seconds> own(1);
  for (const Instruction& instruction : body_of(folded, rank_class, block)) {
    if (meets_others(folded, rank_class, instruction)) {
      own.emplace_back();
    } else {
      own.back() += instruction_time(folded, rank_class, instruction);
    }
  }
  return own;
}

// The meetings of a block, and between them the longest stretch of all who meet.
Seconds body_time(const FoldedProgram& folded, int rank_class, int block, int communicator) {
  Seconds sum;
  for (const Instruction& instruction : body_of(folded, rank_class, block)) {
    if (!meets_others(folded, rank_class, instruction)) continue;
    sum += instruction_time(folded, rank_class, instruction);
  }
  std::vector<Seconds> longest;
  for (const Arrival& arrival :
       folded.communicators[static_cast<std::size_t>(communicator)].arrivals) {
    const std::vector<Seconds> own = stretches(folded, arrival.rank_class, block);
    longest.resize(own.size());
    for (std::size_t i = 0; i < own.size(); ++i) longest[i] = std::max(longest[i], own[i]);
  }
  for (std::size_t i = 1; i + 1 < longest.size(); ++i) sum += longest[i];
  return sum;
}

std::optional<FusedBlock> fuse(const FoldedProgram& folded, int rank_class, int block) {
  const std::optional<int> place = meeting_place(folded, rank_class, block);
  if (!place || (*place >= 0 && !all_alike(folded, *place, block))) return std::nullopt;
  const std::vector<Seconds> own = stretches(folded, rank_class, block);
  if (*place < 0) return FusedBlock{-1, Seconds(), own.front(), Seconds()};
  return FusedBlock{*place, own.front(), body_time(folded, rank_class, block, *place), own.back()};
}

}  // namespace

void FusePlan::unfuse(const FoldedProgram& folded, int rank_class, int block) {
  const auto number = static_cast<std::size_t>(block);
  const std::optional<FusedBlock> fused = at(rank_class, block);
  blocks[static_cast<std::size_t>(rank_class)][number].reset();
  if (!fused || fused->communicator < 0) return;
  for (const Arrival& arrival :
       folded.communicators[static_cast<std::size_t>(fused->communicator)].arrivals) {
    blocks[static_cast<std::size_t>(arrival.rank_class)][number].reset();
  }
}

FusePlan fuse_all(const FoldedProgram& folded) {
  FusePlan plan = fuse_none(folded);
  for (std::size_t r = 0; r < plan.blocks.size(); ++r) {
    for (std::size_t b = 0; b < plan.blocks[r].size(); ++b) {
      plan.blocks[r][b] = fuse(folded, static_cast<int>(r), static_cast<int>(b));
    }
  }
  return plan;
}

FusePlan fuse_none(const FoldedProgram& folded) {
  FusePlan plan;
  for (std::size_t r = 0; r < folded.ranks.size(); ++r) {
    plan.blocks.emplace_back(folded.text(static_cast<int>(r)).blocks.size());
  }
  return plan;
}

Seconds instruction_time(const FoldedProgram& folded, int rank_class,
                         const Instruction& instruction) {
  if (instruction.kind == InstructionKind::Compute) {
    return instruction.duration / folded.ranks[static_cast<std::size_t>(rank_class)].rate;
  }
  return alone_time(communicator_of(folded, rank_class, instruction), instruction.operation);
}

int communicator_index(const FoldedProgram& folded, int rank_class,
                       const Instruction& instruction) {
  return folded.ranks[static_cast<std::size_t>(rank_class)]
      .communicators[static_cast<std::size_t>(instruction.index)];
}

}  // namespace stepcast
