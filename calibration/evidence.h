// What was measured on a cluster, each figure beside the model that predicts it from a profile.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/readers/kernel_table.h"
#include "calibration/readers/nccl_tests.h"
#include "models/profile.h"
#include "scenarios/scenario.h"

namespace stepcast {

enum class EvidenceKind { Collective, StepTime, PeakMemory, Kernel };

/// What a collective's evidence is of: for reports, and for how far a prediction reaches beyond.
struct CollectivePoint {
  CollectiveKind kind;
  Bytes message;
  int ranks = 0;
  int nodes = 0;
  Seconds least;  ///< what the links alone would take: no measurement can be shorter
  bool in_place = false;
};

/// One positive figure in the base unit.
struct Evidence {
  EvidenceKind kind = EvidenceKind::Collective;
  std::string name;
  std::string file;
  int line = 0;  ///< of the file; 0 where it has none
  double measured = 0.0;
  double noise = 0.0;  ///< relative, of the measurement and of the model's form
  std::function<double(const Profile&)> predict;
  std::optional<CollectivePoint> collective;
};

/// Relative errors that the model's form leaves, one standard deviation, before a fit finds its
/// own: a fitted collective misses by 3 % in the median (docs/calibration.md), kernels of two
/// measurements of one GPU differ by 5 %, peaks of memory by 5 %. For steps: sim/step_interval.h.
inline constexpr double kCollectiveNoise = 0.02;
inline constexpr double kKernelNoise = 0.05;
inline constexpr double kMemoryNoise = 0.05;

std::string_view word(EvidenceKind kind);

/// The cluster that a log of `ranks` ranks was taken on: the scenario's, with as many nodes as the
/// ranks fill. Throws InputError, at `place`, where they fill no whole nodes.
ClusterSpec cluster_of_ranks(const ClusterSpec& cluster, int ranks, const InputPlace& place);

/// The rows of nccl-tests' tables that the model knows; sizes of 0 are left out. Both columns of
/// times count. Ranks: as the log lists them, as its header "gpus" says, or all of the scenario's.
std::vector<Evidence> collective_evidence(const NcclTestsLog& log, const Scenario& scenario);

/// A step time of a scenario; `of_mean` is what its own repeats leave open, relative.
Evidence step_evidence(const Scenario& scenario, Seconds measured, double of_mean = 0.0);

/// A peak of memory of a scenario, of a kind.
Evidence memory_evidence(const Scenario& scenario, MemoryKind kind, MemoryPlace place,
                         Bytes measured);

/// Kernels on the scenario's GPU. Loops of one kernel run at the clock that training does not keep.
std::vector<Evidence> kernel_evidence(const std::vector<MeasuredKernel>& kernels,
                                      const std::string& file, const Scenario& scenario);

}  // namespace stepcast
