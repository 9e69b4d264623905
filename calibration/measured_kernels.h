// Measured kernels beside the kernel models.
#pragma once

#include <string>

#include "calibration/readers/kernel_table.h"

namespace stepcast {

/// What the models give for it. `device`'s sustained clock counts: 1 for a loop of one kernel.
Seconds kernel_time(const MeasuredKernel& kernel, const Device& device);

/// "fp16 GEMM 4096 x 1024 x 512", as rows of reports are named.
std::string kernel_name(const MeasuredKernel& kernel);

/// "weight gradient", "flash2 both": kernels whose errors are told together.
std::string kernel_family(const MeasuredKernel& kernel);

}  // namespace stepcast
