// A scenario's key `search`: what the best layout is, and which layouts are tried. Every key of the
// plan and of the batch can be a dimension of the search; which there are, and which words they
// know, comes from their own description.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "base/units.h"
#include "models/training_job.h"

namespace stepcast {

enum class Objective {
  StepTime,        ///< of one step, least
  CostPerToken,    ///< USD per million tokens, least
  TrainingCost,    ///< USD of the whole training, least
  MemoryHeadroom,  ///< GPU memory that the fullest GPU leaves free, most
};

/// The result's key: "step_time", "usd_per_million_tokens", "training_usd", "memory_headroom".
std::string_view word(Objective objective);
std::vector<std::string> objective_words();

struct SearchGoal {
  Objective objective = Objective::StepTime;
  std::optional<Objective> pareto_with;  ///< also the front of `objective` and this one
  double fit_probability = 0.5;          ///< at least this likely not to run out of memory
  std::optional<Seconds> deadline;       ///< of the whole training
  std::optional<int> max_nodes;
  std::optional<double> max_training_usd;
};

/// One key of the plan or of the batch, and what is tried for it.
struct SearchDimension {
  std::string key;
  /// The values to try; null: all there are. Of a count these are divisors, of a switch or a word
  /// every one, of a list of words every set.
  std::shared_ptr<const nlohmann::json> values;
};

struct SearchKeys {
  SearchGoal goal;
  std::vector<SearchDimension> dimensions;  ///< in the order of default_dimensions(), then by name
};

void describe(Fields& f, SearchGoal& goal);

/// Reads the object at `place`. Throws InputError where a key is none of the plan, the batch or the
/// goal, or a value none that the key can have.
SearchKeys read_search_keys(const nlohmann::json& written, const InputPlace& place);

/// JSON Schema of the key.
nlohmann::json search_schema();

/// What a search without dimensions of its own tries: tensor, pipeline and expert parallelism,
/// chunks, micro-batch, ZeRO, recompute, sequence parallelism, schedule and offload, as far as the
/// plan has such keys. Data parallelism is what is left.
std::vector<SearchDimension> default_dimensions();

/// Whether a dimension is a key of the batch, not of the plan.
bool is_batch_key(const std::string& key);

/// Every value of a key that is a switch, a word, a list of words or a small range; empty for
/// others.
std::vector<nlohmann::json> all_values(const std::string& key);

/// Sets one key of the job's plan or batch, which stands in the object at `place`. Throws
/// InputError where the value is none that the key can have.
void set_layout_key(TrainingJob& job, const std::string& key, const nlohmann::json& value,
                    const InputPlace& place);

}  // namespace stepcast
