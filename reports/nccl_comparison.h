// A log of NCCL's choices beside the model's, as people and programs read it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "calibration/nccl_comparison.h"

namespace stepcast {

std::string nccl_comparison_text(const NcclComparison& comparison);
nlohmann::ordered_json nccl_comparison_json(const NcclComparison& comparison);

}  // namespace stepcast
