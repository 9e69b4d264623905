// The files that a user calibrates with, read, cleaned and turned into evidence.
#pragma once

#include <string>
#include <vector>

#include "calibration/evidence.h"
#include "scenarios/calibration_record.h"

namespace stepcast {

struct UserFiles {
  std::string base;  ///< GPU profile to start from in place of the scenario's own; empty: that one
  std::string scenario;  ///< of nccl-tests logs, training logs and kernel tables; may be empty
  std::vector<std::string> settings;  ///< "--set"
  std::vector<std::string> nccl_logs;
  std::vector<std::string> train_logs;  ///< training logs, traces and memory tables
  std::vector<std::string> kernel_tables;
  std::vector<std::string> suites;  ///< scenarios with `measured`
};

struct UserMeasurements {
  Scenario reference;  ///< whose profile is the prior, and whose cluster the logs were taken on
  std::vector<Evidence> evidence;
  std::vector<CalibrationInput> inputs;
  std::vector<MeasuredLayout> layouts;  ///< of measured steps
};

/// Reads every file. Throws InputError where one cannot be read or holds nothing to fit, where
/// units are mixed up, where logs come without a scenario, and where the runs of the suites were
/// not all taken on one GPU, network and framework.
UserMeasurements read_user_files(const UserFiles& files);

/// "fnv1a64:..." of a file's bytes.
std::string content_hash(std::string_view bytes);

/// The parts of a scenario that a layout is told by.
MeasuredLayout layout_of(const Scenario& scenario);

}  // namespace stepcast
