// torchtitan's job file (TOML). Keys and defaults as torchtitan/config_manager.py names them, and
// the names that it had before.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <toml.hpp>

#include "scenarios/import/foreign_object.h"
#include "scenarios/import/imported.h"

namespace stepcast {
namespace {

using nlohmann::json;

json as_json(const toml::value& value) {
  if (value.is_table()) {
    json object = json::object();
    for (const auto& [key, inside] : value.as_table()) object[key] = as_json(inside);
    return object;
  }
  if (value.is_array()) {
    json list = json::array();
    for (const toml::value& inside : value.as_array()) list.push_back(as_json(inside));
    return list;
  }
  if (value.is_boolean()) return value.as_boolean();
  if (value.is_integer()) return value.as_integer();
  if (value.is_floating()) return value.as_floating();
  if (value.is_string()) return value.as_string().str;
  std::ostringstream text;  // dates
  text << value;
  return text.str();
}

json parse_toml(std::string_view text, const std::string& file) {
  std::istringstream stream{std::string(text)};
  try {
    return as_json(toml::parse(stream, file));
  } catch (const toml::exception& error) {
    throw InputError({file, fmt::format("line {}", error.location().line())}, "malformed TOML");
  }
}

struct Flavor {
  std::string_view name;
  std::string_view flavor;
  std::string_view model;  ///< the catalogue's
};

constexpr std::array<Flavor, 6> flavors{{
    {"llama3", "8B", "llama3_8b"},
    {"llama3", "70B", "llama3_70b"},
    {"llama3", "405B", "llama3_405b"},
    {"deepseek_v3", "671B", "deepseek_v3"},
    {"qwen3", "30B-A3B", "qwen3_30b_a3b"},
    {"qwen3", "235B-A22B", "qwen3_235b_a22b"},
}};

const std::set<std::string, std::less<>> without_effect{
    "job",  "profiling",    "metrics",           "lr_scheduler",    "checkpoint",
    "comm", "experimental", "memory_estimation", "fault_tolerance", "validation"};

class TorchtitanReader {
 public:
  TorchtitanReader(const json& job, const std::string& file) : job_(job, {file, ""}) {
    imported_.file = file;
  }

  Imported read() {
    scenario_["framework"] = "torchtitan";
    scenario_["precision"] = "bf16";
    scenario_["plan"]["zero_stage"] = 3;
    if (auto model = job_.object("model")) read_model(*model);
    if (auto training = job_.object("training")) read_training(*training);
    if (auto degrees = job_.object("parallelism")) read_degrees(*degrees);
    if (auto pipeline = job_.object("experimental")) read_schedule(*pipeline);
    if (auto checkpoint = job_.object("activation_checkpoint")) read_recompute(*checkpoint);
    if (auto compile = job_.object("compile")) read_compile(*compile, "enable");
    if (auto optimizer = job_.object("optimizer")) read_optimizer(*optimizer);
    note_what_is_left();
    imported_.scenario = std::make_shared<json>(scenario_);
    return imported_;
  }

 private:
  void miss(std::string what) { imported_.not_carried.push_back(std::move(what)); }

  void read_model(ForeignObject& model) {
    const std::string name = model.text({"name"}).value_or("");
    const std::string flavor = model.text({"flavor"}).value_or("");
    for (const Flavor& known : flavors) {
      if (known.name != name || known.flavor != flavor) continue;
      imported_.usual.push_back(
          {"/model", fmt::format("\"{}\"", known.model), fmt::format("of {} {}", name, flavor)});
    }
    if (const json* converters = model.value({"converters"}); converters != nullptr) {
      for (const json& converter : *converters) {
        if (converter == "float8") scenario_["precision"] = "fp8";
        if (converter != "float8") miss(fmt::format("model.converters {}", converter.dump()));
      }
    }
  }

  void read_training(ForeignObject& training) {
    json& batch = scenario_["batch"];
    batch["sequence_length"] = training.count({"seq_len"}).value_or(2048);
    batch["micro_batch"] = training.count({"local_batch_size", "batch_size"}).value_or(8);
    const json* global = training.value({"global_batch_size"});
    if (global != nullptr && global->is_number_integer() && *global > 0) {
      batch["global_batch"] = *global;
    } else {
      miss(fmt::format("a step of local_batch_size {} on every replica: say batch.global_batch",
                       batch["micro_batch"].get<int>()));
    }
    read_compile(training, "compile");
    const std::string reduced = training.text({"mixed_precision_reduce"}).value_or("float32");
    if (reduced == "bfloat16") scenario_["gradient_precision"] = "bf16";
    const std::string kept = training.text({"mixed_precision_param"}).value_or("bfloat16");
    if (kept == "float32") scenario_["precision"] = "fp32";
    if (training.flag({"enable_cpu_offload"}).value_or(false)) {
      scenario_["plan"]["offload"] = {"optimizer", "parameters"};
    }
    replicas(training);
    const std::vector<std::string> idle =
        training.take({"steps", "dataset", "dataset_path", "max_norm", "seed", "deterministic",
                       "warmup_steps", "gc_freq", "gc_debug"});
    if (!idle.empty()) miss(fmt::format("without effect on a step: {}", fmt::join(idle, ", ")));
  }

  void read_compile(ForeignObject& section, const char* key) {
    if (section.flag({key}).value_or(false)) scenario_["runtime"]["torch_compile"] = true;
  }

  // -1: all that is left, which a scenario has by saying nothing.
  static std::optional<int> degree(ForeignObject& section, ForeignObject::Names names) {
    const json* value = section.value(names);
    if (value != nullptr && *value == json(-1)) return std::nullopt;
    return section.count(names);
  }

  void replicas(ForeignObject& section) {
    const std::optional<int> copies = degree(section, {"data_parallel_replicate_degree"});
    const std::optional<int> shards = degree(section, {"data_parallel_shard_degree"});
    json& plan = scenario_["plan"];
    if (shards && *shards == 1) plan["zero_stage"] = 0;
    if (shards && *shards > 1 && copies.value_or(1) > 1) plan["shard_group"] = *shards;
    if (shards) plan["data_parallel"] = *shards * copies.value_or(1);
    if (!shards && copies.value_or(1) > 1) {
      miss(
          fmt::format("data_parallel_replicate_degree {} with shards over what is left: say "
                      "plan.shard_group",
                      *copies));
    }
  }

  void read_degrees(ForeignObject& section) {
    json& plan = scenario_["plan"];
    replicas(section);
    if (const auto tensor = degree(section, {"tensor_parallel_degree"})) {
      plan["tensor_parallel"] = *tensor;
      if (*tensor > 1) plan["sequence_parallel"] = true;  // torchtitan's only form
    }
    for (const auto& [name, key] : {std::pair{"pipeline_parallel_degree", "pipeline_parallel"},
                                    {"context_parallel_degree", "context_parallel"},
                                    {"expert_parallel_degree", "expert_parallel"},
                                    {"expert_tensor_parallel_degree", "expert_tensor_parallel"}}) {
      if (const auto count = degree(section, {name})) plan[key] = *count;
    }
    read_schedule(section);
    if (section.text({"fsdp_reshard_after_forward"}).value_or("default") == "never") {
      plan["reshard_after_forward"] = false;
    }
    const std::optional<int> rows = section.count({"pipeline_parallel_microbatch_size"});
    if (plan.value("pipeline_parallel", 1) > 1) {
      scenario_["batch"]["micro_batch"] = rows.value_or(1);
    }
    if (section.flag({"enable_async_tensor_parallel"}).value_or(false)) {
      miss("enable_async_tensor_parallel: tensor-parallel traffic is not hidden");
    }
    section.flag({"disable_loss_parallel", "enable_loss_parallel"});
  }

  void read_schedule(ForeignObject& section) {
    const std::optional<std::string> schedule = section.text({"pipeline_parallel_schedule"});
    if (!schedule) return;
    const std::array<std::pair<std::string_view, std::string_view>, 4> words{
        {{"1F1B", "1f1b"},
         {"GPipe", "gpipe"},
         {"Interleaved1F1B", "interleaved_1f1b"},
         {"ZBVZeroBubble", "zb_v"}}};
    for (const auto& [theirs, ours] : words) {
      if (*schedule == theirs) scenario_["plan"]["schedule"] = ours;
    }
    if (!scenario_["plan"].contains("schedule")) miss("pipeline_parallel_schedule " + *schedule);
    if (*schedule != "Interleaved1F1B") return;
    scenario_["plan"]["virtual_pipeline"] = 2;
    imported_.assumed.push_back("plan.virtual_pipeline 2");
  }

  void read_recompute(ForeignObject& section) {
    const std::string mode = section.text({"mode"}).value_or("selective");
    const json* option = section.value({"selective_ac_option"});
    const bool every_op = option == nullptr || *option == json("op");
    if (mode == "full" || mode == "none") {
      scenario_["plan"]["recompute"] = mode;
    } else if (every_op) {
      scenario_["plan"]["recompute"] = "selective";
      miss("selective_ac_option op: selective recompute is counted as Megatron's");
    } else if (*option == json("1")) {
      scenario_["plan"]["recompute"] = "full";
    } else {
      miss(fmt::format("selective_ac_option {}: say plan.recompute", option->dump()));
    }
  }

  void read_optimizer(ForeignObject& section) {
    const std::string name = section.text({"name"}).value_or("AdamW");
    if (name == "Adam") scenario_["optimizer"] = "adam";
    if (name != "Adam" && name != "AdamW")
      miss(fmt::format("optimizer {}: adamw is counted", name));
    const auto idle = section.take({"lr", "eps", "beta1", "beta2", "weight_decay", "implementation",
                                    "fused", "early_step_in_backward"});
    if (!idle.empty()) miss(fmt::format("without effect on a step: {}", fmt::join(idle, ", ")));
  }

  void note_what_is_left() {
    const std::vector<std::string> idle = job_.take(without_effect);
    if (!idle.empty()) miss(fmt::format("without effect on a step: {}", fmt::join(idle, ", ")));
    const std::vector<std::string> unknown = job_.left();
    if (!unknown.empty()) miss(fmt::format("not known: {}", fmt::join(unknown, ", ")));
  }

  ForeignObject job_;
  Imported imported_;
  json scenario_ = json::object();
};

}  // namespace

Imported read_torchtitan_job(std::string_view text, const std::string& file) {
  const json job = parse_toml(text, file);
  return TorchtitanReader(job, file).read();
}

}  // namespace stepcast
