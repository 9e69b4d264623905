// A traced run as a step program, for another cluster than the one it was traced on.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/step_program.h"
#include "scenarios/import/chakra/traced_rank.h"
#include "topology/cluster_spec.h"

namespace stepcast {

/// The ranks of each process group, by its name.
using TracedGroups = std::map<std::string, std::vector<int>>;

/// Reads {"0": [0, 1], "1": [2, 3]}, as ASTRA-sim takes it. Throws InputError.
TracedGroups read_traced_groups(const std::string& file, int num_ranks);

/// What each rank does, a stream for each thing that a GPU does beside others:
///
///   Compute                     COMP_NODE: as long as traced, else max(num_ops / the GPU's 16-bit
///                               peak, tensor_size / its memory bandwidth)
///   HostCompute                 the same with is_cpu_op, as long as traced
///   HostToDevice, DeviceToHost  MEM_LOAD_NODE, MEM_STORE_NODE, as long as traced
///   Data                        COMM_COLL_NODE: as long as the cluster's network takes
///   SendForward ...             COMM_SEND_NODE and COMM_RECV_NODE, by whether ranks ascend
///
/// A node begins when those before it in its stream and all that it depends on have ended. In a
/// stream nodes are in the order of their numbers, as far as dependencies allow. At the end the
/// compute stream waits for all others.
///
/// Throws InputError where a node depends on one that is not there or on itself, where the ranks of
/// a call differ in what they do, and where ranks would wait for each other for ever.
StepProgram traced_step(const TracedRun& run, const TracedGroups& groups, const GpuSpec& gpu);

}  // namespace stepcast
