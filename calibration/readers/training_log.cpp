#include "calibration/readers/training_log.h"

#include <algorithm>
#include <array>

#include "base/input_error.h"
#include "base/text_file.h"
#include "base/text_lines.h"

namespace stepcast {
namespace {

using Reader = TrainingLog (*)(std::string_view, const std::string&);

struct Format {
  std::string_view sign;  ///< only this format writes it
  Reader read;
};

// In this order: MLPerf's lines stand inside a framework's own log, and Megatron-DeepSpeed writes
// Megatron's iteration lines beside DeepSpeed's timers.
constexpr std::array formats{
    Format{":::MLLOG", parse_mlperf_log},
    Format{"elapsed time per iteration", parse_megatron_log},
    Format{"CurrSamplesPerSec", parse_deepspeed_log},
    Format{"iter time (s)", parse_deepspeed_log},
    Format{"DeepSpeed Flops Profiler", parse_deepspeed_log},
};

}  // namespace

TrainingLog parse_training_log(std::string_view text, const std::string& file) {
  for (const Format& format : formats) {
    if (text.find(format.sign) != std::string_view::npos) return format.read(text, file);
  }
  text_lines(text, file);  // an empty or binary file has an error of its own
  throw InputError({file, ""}, "this is no training log that is known",
                   "Megatron-LM, DeepSpeed, MLPerf (:::MLLOG) and traces of the PyTorch profiler "
                   "are");
}

TrainingLog read_training_log(const std::string& file) {
  return parse_training_log(read_text_file(file), file);
}

}  // namespace stepcast
