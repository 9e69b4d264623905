// A trace of the PyTorch profiler (Kineto) in Chrome's format: one rank's kernels, its collectives
// and its steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "calibration/readers/training_log.h"
#include "models/collectives.h"

namespace stepcast {

/// All runs of one kernel.
struct TracedKernel {
  std::string name;
  int calls = 0;
  Seconds total;
};

/// All runs of one collective of one size. A rank that comes first waits for the others inside its
/// kernel, so the shortest run is nearest to what the collective itself takes.
struct TracedCollective {
  std::string collective;  ///< "all_reduce" and so on; empty where the trace does not say
  Bytes message;           ///< as collective_candidates counts it; 0 where the trace does not say
  int ranks = 0;           ///< 0 where the trace does not say
  int calls = 0;
  Seconds shortest;
  Seconds total;
};

struct KinetoTrace {
  std::string file;
  std::vector<TracedKernel> kernels;          ///< other than collectives, longest total first
  std::vector<TracedCollective> collectives;  ///< longest total first
  Seconds compute;        ///< when a kernel other than a collective ran on any stream
  Seconds communication;  ///< when a collective ran
  Seconds overlap;        ///< when both did
  TrainingLog log;        ///< the steps that the profiler marks ("ProfilerStep#12")
};

/// Whether a text looks like such a trace.
bool is_kineto_trace(std::string_view text);

/// Throws InputError where it is no JSON, cut off, or holds no kernel.
KinetoTrace parse_kineto_trace(std::string_view text, const std::string& file);

}  // namespace stepcast
