// Blocks run as one duration: which may, how long they take, and whether a timeline that ran them
// so is what an unfused run would have given.
#pragma once

#include <vector>

#include "sim/folding.h"
#include "sim/timeline.h"

namespace stepcast {

/// [rank class][block]: whether the block runs as one duration.
struct FusePlan {
  std::vector<std::vector<char>> fused;
  bool is_fused(int rank_class, int block) const {
    return fused[static_cast<std::size_t>(rank_class)][static_cast<std::size_t>(block)] != 0;
  }
};

/// Blocks whose collectives meet no other class: their members arrive together, so inside the block
/// nobody waits.
FusePlan fuse_all(const FoldedProgram& folded);
FusePlan fuse_none(const FoldedProgram& folded);

/// Compute at the rank's rate and collectives alone, one after the other.
Seconds block_time(const FoldedProgram& folded, int rank_class, int block);

/// Time of one Compute or Collective instruction of a rank class, alone.
Seconds instruction_time(const FoldedProgram& folded, int rank_class,
                         const Instruction& instruction);

struct ContentionCheck {
  bool flows_fit = true;  ///< no link was asked for more than it has, at any time
  bool blocks_fit =
      true;  ///< no fused block met another flow (or block) on a link that both could fill
};

/// On every link, at every time of `timeline`: does the sum of weight x alone-rate of all flows and
/// fused blocks stay within the bandwidth? Blocks count with the largest rate of their collectives
/// for their whole duration. Blocks that were part of an excess are taken out of `plan`.
///
/// If everything fits, max-min sharing gives every flow its alone-rate, so an analytic timeline is
/// the event engine's (the certificate), and fusing changed nothing.
ContentionCheck check_contention(const FoldedProgram& folded, const Timeline& timeline,
                                 FusePlan& plan);

}  // namespace stepcast
