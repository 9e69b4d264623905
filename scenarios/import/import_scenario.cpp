// From imported files to one scenario that reads.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/contract.h"
#include "base/fields.h"
#include "base/text_file.h"
#include "scenarios/import/imported.h"
#include "scenarios/scenario.h"
#include "scenarios/scenario_reader.h"
#include "scenarios/search_request.h"

namespace stepcast {
namespace {

using nlohmann::json;

// LLaMA, LLaMA 2 and OPT were trained with batches of about 4 M tokens.
// Source: Touvron et al., arXiv:2302.13971, table 2.
constexpr int usual_batch_tokens = 4 * 1024 * 1024;

std::string file_name(const std::string& file) {
  return std::filesystem::path(file).filename().string();
}

/// Merges what one file says over what those before it said; both may say the same.
void merge(json& scenario, const json& said, const std::string& file, const InputPlace& at) {
  for (const auto& [key, value] : said.items()) {
    const InputPlace place = child_of(at, key);
    if (!scenario.contains(key)) {
      scenario[key] = value;
    } else if (scenario[key].is_object() && value.is_object()) {
      merge(scenario[key], value, file, place);
    } else if (scenario[key] != value) {
      throw InputError({file, place.pointer},
                       fmt::format("says {} where the files before it say {}", value.dump(),
                                   scenario[key].dump()),
                       "take the key out of one of them");
    }
  }
}

/// Draws one scenario together, and keeps what was assumed on the way.
class Draft {
 public:
  Draft(const std::vector<Imported>& files, const ImportWishes& wishes)
      : files_(files), wishes_(wishes) {
    STEPCAST_REQUIRES(!files.empty());
  }

  ImportedScenario finish() {
    for (const Imported& file : files_) add(file);
    for (const Imported& file : files_) {
      if (file.rest) scenario_.merge_patch(*file.rest);
    }
    place_on_cluster();
    for (const Imported& file : files_) {
      for (const UsualValue& value : file.usual) fill(value);
    }
    ScenarioReader reader({.settings = wishes_.settings});
    scenario_ = reader.with_settings(scenario_, {first_file(), ""});
    require("model", "num_layers", "name a file with the model too, such as its config.json");
    drop_whole_nodes();
    fill_batch();
    fill_kernels();
    if (!scenario_.contains("plan")) leave_plan_to_search();
    describe_origin();
    check(reader);
    return {std::make_shared<json>(scenario_), assumed_, not_carried_};
  }

 private:
  const std::string& first_file() const { return files_.front().file; }

  void add(const Imported& imported) {
    merge(scenario_, *imported.scenario, imported.file, {imported.file, ""});
    for (const std::string& line : imported.assumed) assumed_.push_back(line);
    for (const std::string& line : imported.not_carried) {
      not_carried_.push_back(file_name(imported.file) + ": " + line);
    }
  }

  void fill(const UsualValue& value) {
    const json::json_pointer at(value.pointer);
    if (scenario_.contains(at) || is_set(value.pointer)) return;
    scenario_[at] = json::parse(value.json);
    std::string name = value.pointer.substr(1);
    std::replace(name.begin(), name.end(), '/', '.');
    const std::string why = value.why.empty() ? "" : ", " + value.why;
    assumed_.push_back(fmt::format("{} {}{}", name, value.json, why));
  }

  // Whether the command line says it.
  bool is_set(const std::string& pointer) const {
    std::string name = pointer.substr(1);
    std::replace(name.begin(), name.end(), '/', '.');
    return std::any_of(wishes_.settings.begin(), wishes_.settings.end(), [&](std::string setting) {
      setting.erase(std::min(setting.find('='), setting.size()));
      std::replace(setting.begin(), setting.end(), '/', '.');
      return setting == name || setting == "." + name;
    });
  }

  void place_on_cluster() {
    json& cluster = scenario_["cluster"];
    if (!wishes_.node.empty()) cluster["node"] = wishes_.node;
    if (!wishes_.fabric.empty()) cluster["fabric"] = wishes_.fabric;
    if (wishes_.nodes.size() == 1) cluster["nodes"] = wishes_.nodes.front();
    if (wishes_.nodes.size() > 1) cluster["nodes"] = wishes_.nodes;
    require("cluster", "node", "--node NAME says it: `stepcast catalogue list` has the names");
    require("cluster", "nodes", "--nodes N says it");
  }

  // Launchers count ranks a node; a scenario only says so where GPUs stay idle.
  void drop_whole_nodes() {
    json& cluster = scenario_["cluster"];
    if (!cluster.contains("gpus_per_node") || !cluster["node"].is_string()) return;
    Catalogue catalogue(catalogue_folder());
    const PartResolver::Part node =
        catalogue.resolve("nodes", cluster["node"], {first_file(), "/cluster/node"});
    if (node.json->contains("gpus") && (*node.json)["gpus"] == cluster["gpus_per_node"]) {
      cluster.erase("gpus_per_node");
    }
  }

  void require(const char* part, const char* key, const char* way_out) const {
    if (scenario_.contains(part) && scenario_[part].is_string()) return;  // by name
    if (scenario_.contains(part) && scenario_[part].contains(key)) return;
    throw InputError({first_file(), ""}, fmt::format("the file does not say {}.{}", part, key),
                     way_out);
  }

  void fill_batch() {
    require("batch", "sequence_length", "--set batch.sequence_length=N says it");
    const json& length = scenario_["batch"]["sequence_length"];
    if (!length.is_number_integer() || length < 1) return;  // refused by the check
    fill({"/batch/global_batch",
          std::to_string(std::max(1, usual_batch_tokens / length.get<int>())),
          "4 Mi tokens a step"});
  }

  void fill_kernels() {
    fill({"/precision", "\"bf16\"", ""});
    fill({"/attention", "\"flash2\"", ""});
    fill({"/framework", "\"megatron\"", ""});
  }

  // The usual layouts, so that a search takes seconds. Without `search` all are tried.
  void leave_plan_to_search() {
    if (scenario_.contains("search")) return;
    scenario_["search"] = {
        {"tensor_parallel", {1, 2, 4, 8}},  {"pipeline_parallel", {1, 2, 4, 8}},
        {"micro_batch", {1, 2, 4}},         {"zero_stage", {1, 3}},
        {"sequence_parallel", {true}},      {"recompute", {"none", "selective", "full"}},
        {"overlap_gradient_reduce", {true}}};
    if (scenario_["model"].contains("num_experts")) {
      scenario_["search"]["expert_parallel"] = {1, 2, 4, 8};
    }
    assumed_.push_back("no plan: `search` holds the usual layouts; take it out to try them all");
  }

  void describe_origin() {
    std::vector<std::string> names;
    for (const Imported& file : files_) names.push_back(file_name(file.file));
    scenario_["schema"] = 1;
    if (!scenario_.contains("source")) {
      scenario_["source"] = fmt::format("imported from {}", fmt::join(names, ", "));
    }
    json caveats = json::array();
    for (const std::string& line : assumed_) caveats.push_back("Assumed: " + line);
    for (const std::string& line : not_carried_) caveats.push_back("Not carried over: " + line);
    if (!caveats.empty() && !scenario_.contains("caveats")) scenario_["caveats"] = caveats;
  }

  void check(ScenarioReader& reader) const {
    const InputPlace place{first_file(), ""};
    if (!scenario_.contains("search")) {
      reader.read(scenario_, place);
      return;
    }
    const SearchRequest request = search_from_json(scenario_, first_file(), {});
    for (const SearchVariant& variant : request.variants) {
      if (!variant.scenario) throw InputError(place, variant.error);
    }
  }

  const std::vector<Imported>& files_;
  const ImportWishes& wishes_;
  json scenario_ = json::object();
  std::vector<std::string> assumed_;
  std::vector<std::string> not_carried_;
};

}  // namespace

Imported read_foreign_file(const std::string& file) {
  if (file.ends_with(".et")) {
    throw InputError({file, ""}, "a trace holds no scenario: what ran, but no model and no plan",
                     "stepcast replay --et PREFIX predicts its time on another cluster");
  }
  const std::string text = read_text_file(file);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) throw InputError({file, ""}, "the file is empty");
  if (file.ends_with(".toml")) return read_torchtitan_job(text, file);
  if (text[first] != '{') return read_megatron_script(text, file);
  const json config = parse_json(text, file);
  for (const char* key : {"train_batch_size", "train_micro_batch_size_per_gpu",
                          "gradient_accumulation_steps", "zero_optimization"}) {
    if (config.contains(key)) return read_deepspeed_config(config, file);
  }
  return read_huggingface_config(config, file);
}

ImportedScenario import_scenario(const std::vector<Imported>& files, const ImportWishes& wishes) {
  return Draft(files, wishes).finish();
}

}  // namespace stepcast
