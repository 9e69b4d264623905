// What a profile file of `stepcast calibrate` says beside its constants: how it came about, how
// well each constant is known together with the others, and what it was measured on. Read to give
// predictions their intervals and to say how far they reach beyond the measurements.
#pragma once

#include <string>
#include <vector>

#include "base/units.h"

namespace stepcast {

class Fields;

/// A constant before and after. Values in base units.
struct CalibratedConstant {
  std::string path;  ///< "gpu/gemm/peak_share"
  double prior = 0;
  double prior_spread = 0;  ///< relative; absolute where `additive`
  double value = 0;
  double spread = 0;
  double prior_kept = 1;  ///< spread over prior_spread: 1 where the measurements say nothing
  bool additive = false;  ///< moves by adding, from 0 up; else by a factor
};

/// Of two constants' posterior; those that are not listed are below 0.01.
struct ConstantCorrelation {
  std::string of, with;
  double correlation = 0;
};

struct CalibrationFinding {
  std::string finding;  ///< a sentence
};

struct CalibrationInput {
  std::string file;
  std::string format;  ///< "nccl-tests", "Megatron-LM", "suite", ...
  std::string hash;    ///< "fnv1a64:..." of its bytes: to recognise it, not to prove it
  int rows = 0;        ///< measurements it holds
  int rows_used = 0;
  std::vector<CalibrationFinding> findings;
};

/// Measurements of one kind of collective on one number of ranks.
struct MeasuredCollectives {
  std::string collective;
  int ranks = 0;
  int nodes = 0;
  Bytes smallest, largest;
};

struct MeasuredLayout {
  int nodes = 0;
  int tensor_parallel = 1, pipeline_parallel = 1, context_parallel = 1, zero_stage = 0;
  int sequence_length = 0;
  int hidden_size = 0;
};

/// One measurement beside the model: predicted over measured - 1, before, after, and with constants
/// fitted to all the others.
struct CalibrationResidual {
  std::string kind, name, file;
  int line = 0;
  double measured = 0;  ///< base unit
  double before = 0, after = 0, left_out = 0;
  double weight = 1;  ///< near 0: the fit took it for an outlier
  std::string collective;
  Bytes message;
  int ranks = 0;
};

struct CalibrationRecord {
  int schema = 1;
  std::string version;  ///< of the program
  /// The built-in profiles that were the prior: constants of another GPU, network or framework are
  /// not replaced by this file.
  std::string gpu, network, framework;
  bool converged = true;        ///< else the fit stopped before it found its minimum
  double collective_noise = 0;  ///< relative, of one row beside the fitted model
  /// Relative, of one step time on one node beside it: half of the 90 % interval over 1.645.
  double step_noise = 0;
  bool steps_moved = false;  ///< whether the step times moved constants
  double step_odds = 0;      ///< what they say for it: logarithm of the odds, left out one by one
  std::vector<CalibrationInput> inputs;
  std::vector<CalibratedConstant> constants;
  std::vector<ConstantCorrelation> correlations;
  std::vector<MeasuredCollectives> collectives;
  std::vector<MeasuredLayout> layouts;
  std::vector<CalibrationResidual> residuals;
};

void describe(Fields& f, CalibrationRecord& record);

}  // namespace stepcast
