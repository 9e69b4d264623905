// Why NCCL would not consider an algorithm and protocol: nccl_tuner's tuner_allows in words.
#pragma once

#include <string>

#include "models/nccl_tuner.h"

namespace stepcast {

/// A clause such as "LL128 needs NVLink inside the node"; empty where tuner_allows says yes, and
/// for pairs that do not exist (NVLS and CollNet speak Simple only).
std::string exclusion_reason(const TunedCollective& collective, Algorithm algorithm,
                             Protocol protocol);

}  // namespace stepcast
