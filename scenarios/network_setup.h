// A cluster and NCCL on it, without a training job: what single collectives are predicted from, and
// what clusters.json says of the machines under logs of nccl-tests.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/fields.h"
#include "models/profile.h"
#include "topology/cluster.h"

namespace stepcast {

enum class ProcessLayout {
  OnePerGpu,  ///< as mpirun starts them
  One,        ///< one process launches on all GPUs of its node, one after the other
};

struct NetworkSetup {
  ClusterSpec cluster;
  NetworkProfile network;
  ProcessLayout processes = ProcessLayout::OnePerGpu;
};

/// Reads an object with the keys of a scenario's `cluster`, and
///
///   "nccl_version"   "2.26": the nearest release whose constants are known; by the GPU unless said
///   "processes"      "one_per_gpu" (unless said) or "one"
///
/// `profile_file` is laid over the built-in profile of the network, as for a scenario; empty: none.
/// Throws InputError, also where several nodes have no fabric.
NetworkSetup read_network_setup(const nlohmann::json& json, const InputPlace& place,
                                PartResolver& resolver, const std::string& profile_file);

}  // namespace stepcast
