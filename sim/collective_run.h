// One collective on an otherwise idle cluster, through the same engines as a training step: what
// nccl-tests measures.
#pragma once

#include "models/collectives.h"
#include "models/step_program.h"
#include "sim/run.h"
#include "topology/cluster.h"
#include "topology/placement.h"

namespace stepcast {

/// A program in which the first `ranks` ranks run `kind` once; in a send-receive each sends to the
/// next rank and receives from the one before, as sendrecv_perf does.
/// Requires ranks >= 1.
StepProgram collective_program(CollectiveKind kind, Bytes message, int ranks);

/// Ranks in order on the cluster's first GPUs, without a grid of degrees.
/// Requires 1 <= ranks <= cluster.num_gpus().
Placement place_in_order(int ranks, const Cluster& cluster);

/// How long it takes on all GPUs of the cluster.
Seconds collective_time(CollectiveKind kind, Bytes message, const Cluster& cluster,
                        const NetworkProfile& network, EngineChoice engine);

}  // namespace stepcast
