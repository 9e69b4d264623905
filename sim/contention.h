// Whether the flows of a timeline got in each other's way: the certificate of the analytic engine,
// and the proof that running blocks as one duration changed nothing.
#pragma once

#include "sim/fusing.h"
#include "sim/timeline.h"

namespace stepcast {

struct ContentionCheck {
  bool flows_fit = true;   ///< no link was asked for more than it has, at any time
  bool blocks_fit = true;  ///< no fused block met another flow (or block) on a link that both fill
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
