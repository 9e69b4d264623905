// What offload moves to the host: bytes that a rank keeps there, and what its optimizer does there.
#pragma once

#include "models/memory.h"

namespace stepcast {

/// What one rank keeps in its node's memory of `parameters` weights, by the plan's `offload`:
///
///   optimizer   master copy and moments, the gradient they read, the 16-bit weights they write
///   parameters  the 16-bit weights
///
/// divided by ZeRO as on the GPU. Pinned buffers are these, not copies of them. Source: Ren et al.,
/// ZeRO-Offload, USENIX ATC '21, section 4; Rajbhandari et al., ZeRO-Infinity, SC '21, section 5.
ModelState host_model_state(std::int64_t parameters, const WorkContext& context);

/// Bytes of host memory time that Adam on the host's cores takes for `parameters` weights:
/// gradient, master and moments read, master, moments and 16-bit weights written, over the share of
/// the memory's bandwidth that such a loop reaches (0.7: an assumption; 0.6 to 0.8 are usual of
/// streams over all cores, and no absolute figure of DeepSpeed's kernel is published that we know
/// of).
Bytes host_update_traffic(double parameters, const WorkContext& context);

}  // namespace stepcast
