// DeepSpeed's ds_config.json. Keys and defaults: DeepSpeed's documentation,
// docs/_pages/config-json.md.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "base/unit_text.h"
#include "scenarios/import/foreign_object.h"
#include "scenarios/import/imported.h"

namespace stepcast {
namespace {

using nlohmann::json;
using Names = std::set<std::string, std::less<>>;

/// DeepSpeed sends gradients and parameters in 16 bits.
constexpr double bytes_per_element = 2;

const Names without_effect{"steps_per_print",
                           "wall_clock_breakdown",
                           "dump_state",
                           "gradient_clipping",
                           "prescale_gradients",
                           "gradient_predivide_factor",
                           "scheduler",
                           "flops_profiler",
                           "tensorboard",
                           "wandb",
                           "csv_monitor",
                           "comet",
                           "comms_logger",
                           "elasticity",
                           "zero_allow_untested_optimizer",
                           "zero_force_ds_cpu_optimizer",
                           "checkpoint",
                           "data_types",
                           "zero_optimization.round_robin_gradients"};

/// The Hugging Face integration fills these in by itself.
bool is_auto(const json& value) { return value.is_string() && value == "auto"; }

json without_autos(const json& config, const std::string& path, std::vector<std::string>& autos) {
  if (!config.is_object()) return config;
  json kept = json::object();
  for (const auto& [key, value] : config.items()) {
    if (is_auto(value)) {
      autos.push_back(path + key);
    } else {
      kept[key] = without_autos(value, path + key + ".", autos);
    }
  }
  return kept;
}

class DeepspeedReader {
 public:
  DeepspeedReader(const json& config, const std::string& file) : config_(config, {file, ""}) {
    imported_.file = file;
    imported_.usual.push_back({"/framework", "\"deepspeed\"", ""});
  }

  Imported read() {
    read_batch();
    read_precision();
    if (auto zero = config_.object("zero_optimization")) read_zero(*zero);
    if (auto optimizer = config_.object("optimizer")) read_optimizer(*optimizer);
    if (auto checkpointing = config_.object("activation_checkpointing")) {
      if (checkpointing->flag({"cpu_checkpointing"}).value_or(false))
        offload_.push_back("activations");
    }
    if (!offload_.empty()) scenario_["plan"]["offload"] = offload_;
    if (const json* rest = config_.value({"stepcast"}))
      imported_.rest = std::make_shared<json>(*rest);
    note_what_is_left();
    imported_.scenario = std::make_shared<json>(scenario_);
    return imported_;
  }

 private:
  void miss(std::string what) { imported_.not_carried.push_back(std::move(what)); }

  void read_batch() {
    const std::optional<int> global = config_.count({"train_batch_size"});
    const std::optional<int> micro = config_.count({"train_micro_batch_size_per_gpu"});
    const std::optional<int> steps = config_.count({"gradient_accumulation_steps"});
    if (global) scenario_["batch"]["global_batch"] = *global;
    if (micro) scenario_["batch"]["micro_batch"] = *micro;
    if (!global || !micro || !steps) {
      if (steps && !global) miss("gradient_accumulation_steps: train_batch_size is not said");
      return;
    }
    const std::int64_t replica = std::int64_t{*micro} * *steps;
    if (replica == 0 || *global % replica != 0) {
      throw InputError(config_.place_of("train_batch_size"),
                       fmt::format("{} is no multiple of train_micro_batch_size_per_gpu {} x "
                                   "gradient_accumulation_steps {}",
                                   *global, *micro, *steps));
    }
    scenario_["plan"]["data_parallel"] = *global / replica;
  }

  bool is_enabled(const char* key) {
    std::optional<ForeignObject> part = config_.object(key);
    if (!part) return false;
    const std::vector<std::string> scaling =
        part->take({"loss_scale", "loss_scale_window", "initial_scale_power", "hysteresis",
                    "min_loss_scale", "consecutive_hysteresis", "auto_cast"});
    if (!scaling.empty()) {
      miss(fmt::format("without effect on time or memory: {}.{}", key,
                       fmt::join(scaling, fmt::format(", {}.", key))));
    }
    return part->flag({"enabled"}).value_or(false);
  }

  void read_precision() {
    const bool brain = is_enabled("bf16");
    const bool half = is_enabled("fp16");
    const bool said = config_.value({"bf16"}) != nullptr || config_.value({"fp16"}) != nullptr;
    if (said) scenario_["precision"] = brain ? "bf16" : half ? "fp16" : "fp32";
  }

  void read_zero(ForeignObject& zero) {
    json& plan = scenario_["plan"];
    if (const auto stage = zero.count({"stage"})) plan["zero_stage"] = *stage;
    if (const auto overlap = zero.flag({"overlap_comm"}))
      plan["overlap_gradient_reduce"] = *overlap;
    read_bucket(zero, "reduce_bucket_size", "reduce_bucket");
    read_bucket(zero, "allgather_bucket_size", "gather_bucket");
    read_offload(zero, "offload_optimizer", "optimizer");
    read_offload(zero, "offload_param", "parameters");
    if (zero.flag({"cpu_offload"}).value_or(false)) offload_.push_back("optimizer");
    const std::vector<std::string> idle =
        zero.take({"contiguous_gradients", "reduce_scatter", "allgather_partitions",
                   "load_from_fp32_weights", "stage3_gather_16bit_weights_on_model_save",
                   "stage3_gather_fp16_weights_on_model_save", "round_robin_gradients",
                   "ignore_unused_parameters", "elastic_checkpoint", "sub_group_size"});
    if (!idle.empty()) {
      miss(fmt::format("zero_optimization, as ZeRO is modelled anyway: {}", fmt::join(idle, ", ")));
    }
  }

  void read_bucket(ForeignObject& zero, const char* from, const char* key) {
    const std::optional<double> elements = zero.number({from});
    if (elements) scenario_["plan"][key] = exact_text(Bytes(*elements * bytes_per_element));
  }

  void read_offload(ForeignObject& zero, const char* from, const char* what) {
    std::optional<ForeignObject> part = zero.object(from);
    if (!part) return;
    const std::string device = part->text({"device"}).value_or("none");
    if (device == "cpu") {
      offload_.push_back(what);
    } else if (device != "none") {
      throw InputError(part->place_of("device"),
                       fmt::format("offload to \"{}\" is not modelled", device),
                       "\"cpu\" or \"none\"");
    }
    const std::vector<std::string> tuning =
        part->take({"pin_memory", "buffer_count", "buffer_size", "max_in_cpu", "fast_init",
                    "pipeline_read", "pipeline_write", "ratio", "nvme_path"});
    if (!tuning.empty())
      miss(fmt::format("zero_optimization.{}: {}", from, fmt::join(tuning, ", ")));
  }

  void read_optimizer(ForeignObject& optimizer) {
    const std::string type = optimizer.text({"type"}).value_or("AdamW");
    if (!optimizer.take({"params"}).empty()) {
      miss("without effect on time or memory: optimizer.params");
    }
    if (type == "AdamW" || type == "FusedAdam" || type == "DeepSpeedCPUAdam") {
      scenario_["optimizer"] = "adamw";
    } else if (type == "Adam") {
      scenario_["optimizer"] = "adam";
    } else if (type == "OneBitAdam") {
      scenario_["optimizer"] = "adam";
      scenario_["plan"]["gradient_compression"] = "one_bit_adam";
    } else if (type == "Muon") {
      scenario_["optimizer"] = "muon";
    } else {
      miss(fmt::format("optimizer {}: adamw is counted", type));
    }
  }

  void note_what_is_left() {
    const std::vector<std::string> idle = config_.take(without_effect);
    if (!idle.empty()) {
      miss(fmt::format("without effect on time or memory: {}", fmt::join(idle, ", ")));
    }
    const std::vector<std::string> unknown = config_.left();
    if (!unknown.empty()) miss(fmt::format("not known: {}", fmt::join(unknown, ", ")));
  }

  ForeignObject config_;
  Imported imported_;
  json scenario_ = json::object();
  json offload_ = json::array();
};

}  // namespace

Imported read_deepspeed_config(const json& config, const std::string& file) {
  std::vector<std::string> autos;
  const json said = without_autos(config, "", autos);
  Imported imported = DeepspeedReader(said, file).read();
  if (!autos.empty()) {
    imported.not_carried.push_back(
        fmt::format("\"auto\", which the trainer fills in: {}", fmt::join(autos, ", ")));
  }
  return imported;
}

}  // namespace stepcast
