// What a file of another program says of a scenario, and what it says that a scenario cannot hold.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace stepcast {

/// A value that holds where no file says another.
struct UsualValue {
  std::string pointer;  ///< of a scenario's key, "/batch/sequence_length"
  std::string json;     ///< as JSON text
  std::string why;      ///< beside the value, where it is used
};

struct Imported {
  std::string file;
  std::shared_ptr<nlohmann::json> scenario;  ///< keys of a scenario, as far as the file goes
  std::vector<std::string> assumed;          ///< what the file leaves open and how it was read
  std::vector<std::string> not_carried;      ///< what it says that the scenario does not
  std::vector<UsualValue> usual = {};
  std::shared_ptr<nlohmann::json> rest = {};  ///< kept by `stepcast export`: merged over all files
};

/// A Hugging Face `config.json`: the model, and the longest sequence as the batch's unless it is
/// longer than 4,096 tokens. Decoders that `docs/import.md` lists; throws InputError for others and
/// for layers that no model of ours describes (experts in every second layer).
Imported read_huggingface_config(const nlohmann::json& config, const std::string& file);

/// Arguments of Megatron-LM or Megatron-DeepSpeed: a launch script, or the arguments alone. What
/// torchrun is told (--nnodes, --nproc_per_node) is the cluster's.
Imported read_megatron_script(std::string_view text, const std::string& file);

/// DeepSpeed's configuration: batch, ZeRO, offload, precision. Its buckets count elements, of 2
/// bytes here. The model and the other degrees come from a further file.
Imported read_deepspeed_config(const nlohmann::json& config, const std::string& file);

/// torchtitan's job file: plan, batch, recompute, and the model where the catalogue has its flavor.
Imported read_torchtitan_job(std::string_view text, const std::string& file);

/// Reads any of the files above, by what is in it. Throws InputError where it is none of them.
Imported read_foreign_file(const std::string& file);

/// What the command line adds to imported files.
struct ImportWishes {
  std::string node;        ///< catalogue name or path; empty: as the files say
  std::vector<int> nodes;  ///< several: a scenario to search, with one layout for each
  std::string fabric;
  std::vector<std::string> settings;  ///< "--set"
};

struct ImportedScenario {
  std::shared_ptr<nlohmann::json> scenario;  ///< it reads: as a scenario, or as one to search
  std::vector<std::string> assumed;
  std::vector<std::string> not_carried;
};

/// One scenario from files that each say a part of it. `source` and `caveats` in the scenario name
/// the files and what is assumed or not carried over. Without a plan in the files, it holds what a
/// search may choose. Throws InputError where files contradict each other, where something that
/// every scenario needs is missing, and where the scenario cannot run.
ImportedScenario import_scenario(const std::vector<Imported>& files, const ImportWishes& wishes);

}  // namespace stepcast
