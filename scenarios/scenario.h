// What to predict: a training job on a cluster, with the profile to predict it by, and the figures
// that others measured or claimed for it. One description of its keys serves reading, writing and
// the schema.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "models/kernels.h"
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

/// Figures from outside. As `measured` they judge the model, as `claimed` they are judged by it.
struct Figures {
  std::optional<Seconds> step_time;
  std::optional<double> tokens_per_s;
  std::optional<double> tokens_per_s_per_gpu;
  std::optional<Bytes> peak_memory;
  MemoryKind memory_kind = MemoryKind::Reserved;
  std::optional<bool> fits;
  bool derived = false;             ///< computed from other published figures
  bool fits_is_inferred = false;    ///< the source does not say outright that memory ran out
  std::optional<double> usd_per_hour;
  std::optional<Flop> forward_flop;             ///< of `forward_flop_tokens` tokens through the whole model
  std::optional<double> forward_flop_tokens;
  std::optional<Bytes> weights_and_optimizer_memory;  ///< of the whole model, all GPUs together
};

struct Scenario {
  std::string title;
  ClusterSpec cluster;
  TrainingJob job;
  Profile profile;
  std::optional<Price> price;
  std::optional<double> training_tokens;
  std::optional<Figures> claimed;
  std::optional<Figures> measured;

  std::string file;                 ///< where it was read from, for errors and reports
  std::string pointer;              ///< its place in the file ("/runs/3" in a suite, "" alone)
  std::string model_name;           ///< as written where it is a name; empty for an inline model
  std::string node_name, fabric_name, price_name;

  Device device() const { return {cluster.node.gpu, profile.gpu}; }
};

/// One run of a suite that could not be read, or a scenario.
struct ScenarioFault {
  std::string title;
  std::string message;
};

struct ReadOptions {
  std::vector<std::string> settings;   ///< "--set" arguments: "plan/tensor_parallel=4" or "plan.tensor_parallel=4"
  std::string profile_file;            ///< "--profile": values laid over the built-in profile; empty: none
};

/// Reads a scenario file or a suite (every run a scenario). Every scenario is complete (data_parallel
/// filled in, profile chosen by GPU, fabric and framework) and can run: violations of the plan are
/// InputErrors. A fabric is required when nodes > 1. Throws InputError at the first fault.
std::vector<Scenario> read_scenarios(const std::string& path, const ReadOptions& options);

/// The same from JSON already in memory; `file` is used in errors.
std::vector<Scenario> scenarios_from_json(const nlohmann::json& json, const std::string& file, const ReadOptions& options);

/// The scenario as JSON that reads back to the same scenario: parts by name where they have one.
nlohmann::json scenario_to_json(const Scenario& scenario);

/// JSON Schema of a scenario or of a suite, from the same description that reads them.
nlohmann::json scenario_schema();
nlohmann::json suite_schema();

}  // namespace stepcast
