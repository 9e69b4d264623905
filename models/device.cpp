#include "models/device.h"

#include "base/contract.h"

namespace stepcast {

FlopPerSecond peak_rate(Precision precision, const GpuSpec& gpu) {
  switch (precision) {
    case Precision::Fp32:
      return gpu.fp32;
    case Precision::Tf32:
      return gpu.tf32;
    case Precision::Fp16:
    case Precision::Bf16:
      return gpu.fp16;
    case Precision::Fp8:
      return gpu.fp8;
  }
  STEPCAST_REQUIRES(false && "every precision has a peak rate");
  return {};
}

}  // namespace stepcast
