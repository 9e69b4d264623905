// What to predict: a training job on a cluster, with the profile to predict it by, and the figures
// that others measured or claimed for it. One description of its keys serves reading, writing and
// the schema.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "models/device.h"
#include "models/price.h"
#include "models/profile.h"
#include "models/training_job.h"
#include "topology/cluster.h"

namespace stepcast {

enum class MemoryKind {
  Allocated,  ///< torch.cuda.max_memory_allocated
  Reserved,   ///< torch.cuda.max_memory_reserved
  Device,     ///< nvidia-smi
};

/// Whose peak a figure is.
enum class MemoryPlace {
  FirstStage,    ///< what rank 0 logs, or a look at the first node shows
  FullestStage,  ///< the largest of all
};

/// A claimed share or factor; with `to`, anything between the two.
struct ClaimedRange {
  double from = 0;
  std::optional<double> to;  ///< empty: at least `from`
};

/// What a technique is said to do, beside a run of the same file that goes without it.
struct ClaimedComparison {
  std::string with;                                    ///< the other run's title
  std::optional<ClaimedRange> speed_up;                ///< its step time over this run's
  std::optional<ClaimedRange> memory_saved;            ///< share of its peak that this run lacks
  std::optional<ClaimedRange> optimizer_memory_saved;  ///< the same of optimizer state on a GPU
};

/// Figures from outside. As `measured` they judge the model, as `claimed` they are judged by it.
struct Figures {
  std::optional<Seconds> step_time;
  std::optional<double> tokens_per_s;
  std::optional<double> tokens_per_s_per_gpu;
  std::optional<Bytes> peak_memory;
  MemoryKind memory_kind = MemoryKind::Reserved;
  /// Unless said the first stage's of a measurement, the fullest one's of a claim.
  std::optional<MemoryPlace> memory_of;
  MemoryPlace measured_place() const { return memory_of.value_or(MemoryPlace::FirstStage); }
  std::optional<bool> fits;
  bool derived = false;           ///< computed from other published figures
  bool fits_is_inferred = false;  ///< the source does not say outright that memory ran out
  std::optional<double> usd_per_hour;
  std::optional<double> training_gpu_hours;  ///< for training_tokens tokens
  std::optional<Flop> forward_flop;  ///< of `forward_flop_tokens` tokens through the whole model
  std::optional<double> forward_flop_tokens;
  std::optional<Bytes> weights_and_optimizer_memory;  ///< of the whole model, all GPUs together
  std::optional<ClaimedComparison> compared;
};

struct CalibrationRecord;  // calibration_record.h

struct Scenario {
  std::string title;
  ClusterSpec cluster;
  TrainingJob job;
  Profile profile;
  std::optional<Price> price;
  std::optional<NcclChoice> nccl;  ///< what is forced on NCCL; profile.network holds it too
  std::optional<double> training_tokens;
  std::optional<std::int64_t> seed;  ///< of everything random in the prediction
  std::optional<Figures> claimed;
  std::optional<Figures> measured;

  std::vector<std::string> caveats;  ///< what the file says to mind; shown beside claims

  /// What the profile file says of itself, where `stepcast calibrate` wrote it.
  std::shared_ptr<const CalibrationRecord> calibration;
  std::vector<std::string> calibration_notes;  ///< parts of that file that do not apply here

  std::string file;     ///< where it was read from, for errors and reports
  std::string pointer;  ///< its place in the file ("/runs/3" in a suite, "" alone)

  /// The parts' names as written, empty for inline parts. Whoever changes a part empties its name:
  /// scenario_to_json writes the name where there is one.
  std::string model_name;
  std::string node_name;
  std::string fabric_name;
  std::string price_name;

  Device device() const { return {cluster.node.gpu, profile.gpu}; }
};

struct ReadOptions {
  /// "--set" arguments: "plan/tensor_parallel=4" or "plan.tensor_parallel=4". The value is JSON
  /// where it reads as such, else text; null takes the key away. In a suite they hold for every
  /// run.
  std::vector<std::string> settings = {};
  /// "--profile": values laid over the built-in profile; empty: none
  std::string profile_file = {};
  /// "--to": a JSON merge patch (RFC 7396) over every scenario, after the settings
  std::optional<std::string> merge_patch = {};
};

/// The files that a path on the command line stands for: itself, or a folder's *.json files by
/// name. Throws InputError for a folder without any.
std::vector<std::string> scenario_files(const std::string& path);

/// Reads a scenario file or a suite (every run a scenario). Every scenario is complete
/// (data_parallel filled in, profile chosen by GPU, fabric and framework) and can run: violations
/// of the plan are InputErrors. A fabric is required when nodes > 1. Throws InputError at the first
/// fault.
///
/// The profile is the built-in one with the scenario's `calibration` merged over it, and then the
/// profile file (RFC 7396). Both have the keys `gpu`, `network` and `framework`, which hold any
/// of a profile's constants, and may name another `base` than the built-in profile. A file that
/// `stepcast calibrate` wrote replaces constants of the GPU, the network and the framework that it
/// was fitted on only.
std::vector<Scenario> read_scenarios(const std::string& path, const ReadOptions& options);

/// The same from JSON already in memory; `file` is used in errors, and paths are relative to it.
std::vector<Scenario> scenarios_from_json(const nlohmann::json& json, const std::string& file,
                                          const ReadOptions& options);

/// One run of a suite that could not be read.
struct ScenarioFault {
  std::string title;
  std::string message;
};

struct SuiteReading {
  std::vector<Scenario> scenarios;
  std::vector<ScenarioFault> faults;
};

/// As read_scenarios, but a run of a suite that cannot be read is a fault beside the others'
/// answers. Still throws InputError where nothing of the file can be read.
SuiteReading read_suite(const std::string& path, const ReadOptions& options);

/// The scenario as JSON that reads back to the same scenario: parts by catalogue name where they
/// have one, else inline (also those that were read from a path).
nlohmann::json scenario_to_json(const Scenario& scenario);

/// JSON Schema of a scenario or of a suite, from the same description that reads them. A suite's
/// runs are described as if nothing were required, since the defaults may say it, and without the
/// nulls that take a default away.
nlohmann::json scenario_schema();
nlohmann::json suite_schema();

/// JSON Schema of a profile: any of the constants, and what `stepcast calibrate` says of itself.
nlohmann::json profile_schema();

}  // namespace stepcast
