// Sets predicted collectives beside logs of nccl-tests: the error of every row, and what the errors
// of each log add up to. Nothing is fitted here.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/units.h"
#include "models/collectives.h"
#include "topology/cluster_spec.h"

namespace stepcast {

/// One row of a log: what a collective of `size` took out of place, and should have.
struct NcclRowError {
  Bytes size;
  Seconds measured;
  Seconds predicted;
  double error() const { return predicted / measured - 1.0; }
};

/// Over |error|; empty where no row counts.
struct NcclErrorFigures {
  std::optional<double> median_error;
  std::optional<double> p90_error;
  std::optional<double> median_error_1mib;  ///< rows of 1 MiB and more
  std::optional<double> p90_error_1mib;
};

struct NcclLogErrors {
  std::string name;  ///< the file's, without its ending
  GpuArchitecture architecture = GpuArchitecture::Ampere;
  std::vector<NcclRowError> rows;  ///< in the order of the log, without those that send nothing

  NcclErrorFigures figures() const;
};

struct NcclLogFault {
  std::string name;
  std::string message;
};

struct NcclValidation {
  std::vector<NcclLogErrors> logs;
  std::vector<std::string> skipped;  ///< logs whose cluster nobody told
  std::vector<NcclLogFault> faults;  ///< logs that cannot be read, or whose cluster cannot be built
};

/// The same figures over the medians (and the medians from 1 MiB on) of several logs.
NcclErrorFigures figures_over_logs(std::span<const NcclLogErrors> logs);

/// Judges logs, and all *.txt and *.log files of folders. What they ran on says a file
/// clusters.json in the same folder: an object with a key for each log (its file's name without
/// ending) that read_network_setup understands, and perhaps `collective` where the log does not say
/// it.
///
/// Predictions are of the analytic engine where that is proven to be the event engine's answer,
/// else of the event engine; where one process drives all GPUs of a node a collective takes no less
/// than its launches, `ranks per node` x NetworkProfile::shared_launch, one after the other.
///
/// Throws InputError where a path or a clusters.json is wrong, where a log that is named itself
/// cannot be read, and where no log could be judged.
NcclValidation validate_nccl(std::span<const std::string> paths, const std::string& profile_file);

}  // namespace stepcast
