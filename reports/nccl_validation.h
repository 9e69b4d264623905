// Predicted collectives beside logs of nccl-tests, as people and programs read them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "calibration/nccl_validation.h"

namespace stepcast {

/// The contract's keys: `median_error`, `p90_error`, `median_error_1mib` (and `p90_error_1mib`)
/// over the medians of all logs, `gpus` with the same by architecture, `logs` with the same of each
/// and its `rows`, `skipped`, and `errors` where there are any. Errors are shares of the measured
/// time.
nlohmann::ordered_json nccl_validation_json(const NcclValidation& validation);

/// A line for each row of each log.
std::string nccl_validation_csv(const NcclValidation& validation);

/// A line for each log.
std::string nccl_validation_text(const NcclValidation& validation);

}  // namespace stepcast
