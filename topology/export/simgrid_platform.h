// The cluster as a SimGrid platform file, for simulations of one's own.
#pragma once

#include <string>

#include "topology/cluster.h"

namespace stepcast {

/// Most GPUs that a platform is written for: it holds a route for each pair of them.
inline constexpr int max_platform_gpus = 512;

/// Platform version 4.1, as SimGrid 3.32 reads it: a host for each GPU ("gpu0" and up, its 16-bit
/// FLOP rate times what a fault leaves of it), a link for each direction of each cable, and for
/// each ordered pair of GPUs the route that messages take here. Latencies are zero: here they
/// belong to NCCL's steps, not to cables. Background traffic is left out.
/// Throws InputError where the cluster has more GPUs than max_platform_gpus.
std::string simgrid_platform(const Cluster& cluster);

}  // namespace stepcast
