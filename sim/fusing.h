// Blocks run as one duration: which may, and how long they take. Whether a timeline that ran them
// so is what an unfused run would have given is contention.h's question.
#pragma once

#include <optional>
#include <vector>

#include "sim/folding.h"

namespace stepcast {

/// A block as one duration, or as three where its collectives join several rank classes: `head` is
/// the rank's own until it meets the others on `communicator`, `body` lasts for all of them from
/// when the last has come until their last collective ends, `tail` is the rank's own again. A block
/// that meets nobody is all body.
struct FusedBlock {
  int communicator = -1;
  Seconds head;
  Seconds body;
  Seconds tail;
};

/// [rank class][block]: how the block runs as one; empty where it runs instruction by instruction.
struct FusePlan {
  std::vector<std::vector<std::optional<FusedBlock>>> blocks;

  const std::optional<FusedBlock>& at(int rank_class, int block) const {
    return blocks[static_cast<std::size_t>(rank_class)][static_cast<std::size_t>(block)];
  }
  /// Takes a block apart, for every class that meets in it.
  void unfuse(const FoldedProgram& folded, int rank_class, int block);
};

/// Every block whose collectives meet no other class, or the same classes of the same program each
/// time: after the first such meeting its members go in step, each part at the pace of the slowest.
FusePlan fuse_all(const FoldedProgram& folded);
FusePlan fuse_none(const FoldedProgram& folded);

/// Time of one Compute or Collective instruction of a rank class, alone.
Seconds instruction_time(const FoldedProgram& folded, int rank_class,
                         const Instruction& instruction);

/// The folded communicator that a rank class calls in an instruction, by number.
int communicator_index(const FoldedProgram& folded, int rank_class, const Instruction& instruction);

}  // namespace stepcast
