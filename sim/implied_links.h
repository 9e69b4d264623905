// Links that can never be the tightest: what their neighbours carry already fits through them.
// Leaving them out changes no rate (the feasible set of max-min stays the same) and lets ranks that
// differ only by such links fold together: the two GPUs of a PCIe switch, replicas on either side
// of a full-bandwidth spine.
#pragma once

#include <span>
#include <vector>

#include "sim/flows.h"

namespace stepcast {

/// Takes implied links out of the flows. A link is implied when the links over which its messages
/// go on (or come from), other than straight back, have together no more bandwidth than it has, and
/// are themselves kept or implied by kept ones. Holds for flows made of simple routes between GPUs,
/// and of routes that end or begin in a switch which reduces or spreads (their last link is kept,
/// for its messages go on over none). A link with background traffic is kept: that goes on
/// elsewhere.
void drop_implied_links(std::vector<CommunicatorFlows>& flows, std::span<const Link> links,
                        std::span<const BackgroundFlow> background);

}  // namespace stepcast
