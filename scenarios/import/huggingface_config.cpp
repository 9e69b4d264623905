// Hugging Face's config.json: keys and defaults as in the configuration classes of transformers
// (src/transformers/models/*/configuration_*.py).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "scenarios/import/foreign_object.h"
#include "scenarios/import/imported.h"

namespace stepcast {
namespace {

using nlohmann::json;

/// What a family's code fixes and its config.json does not say.
struct Family {
  std::string_view model_type;
  bool gated_mlp;
  bool tied_embeddings;  ///< unless config.json says otherwise
  bool linear_bias;
  const char* position_embedding;
  std::string_view caveat = {};  ///< weights or kernels of its layers that no model key describes
};

constexpr std::string_view no_qkv_bias =
    "biases of the query, key and value projections are not counted";
constexpr std::string_view no_qk_norm = "norms of queries and keys are not counted";
constexpr std::string_view parallel_mlp =
    "attention and MLP read the same norm in the model; here the MLP follows attention";

constexpr std::array<Family, 24> families{{
    {"llama", true, false, false, "rotary"},
    {"mistral", true, false, false, "rotary"},
    {"mixtral", true, false, false, "rotary"},
    {"qwen2", true, false, false, "rotary", no_qkv_bias},
    {"qwen2_moe", true, false, false, "rotary", no_qkv_bias},
    {"qwen3", true, false, false, "rotary", no_qk_norm},
    {"qwen3_moe", true, false, false, "rotary", no_qk_norm},
    {"phi3", true, false, false, "rotary"},
    {"olmo", true, false, false, "rotary"},
    {"olmo2", true, false, false, "rotary", no_qk_norm},
    {"granite", true, false, false, "rotary"},
    {"internlm2", true, false, false, "rotary"},
    {"gemma", true, true, false, "rotary"},
    {"gemma2", true, true, false, "rotary",
     "the second pair of norms of a layer and the caps of its logits are not counted"},
    {"deepseek_v2", true, false, false, "rotary"},
    {"deepseek_v3", true, false, false, "rotary"},
    {"gpt2", false, true, true, "learned"},
    {"gpt_bigcode", false, true, true, "learned"},
    {"opt", false, true, true, "learned"},
    {"bloom", false, true, true, "alibi"},
    {"gpt_neox", false, false, true, "rotary", parallel_mlp},
    {"phi", false, false, true, "rotary", parallel_mlp},
    {"falcon", false, true, false, "rotary", parallel_mlp},
    {"starcoder2", false, true, true, "rotary"},
}};

/// Keys that change neither time nor memory of a step.
const std::set<std::string, std::less<>> without_effect{"_name_or_path",
                                                        "architectures",
                                                        "auto_map",
                                                        "bos_token_id",
                                                        "eos_token_id",
                                                        "pad_token_id",
                                                        "decoder_start_token_id",
                                                        "initializer_range",
                                                        "rms_norm_eps",
                                                        "layer_norm_eps",
                                                        "layer_norm_epsilon",
                                                        "norm_epsilon",
                                                        "norm_eps",
                                                        "rope_theta",
                                                        "rope_scaling",
                                                        "rope_type",
                                                        "rotary_emb_base",
                                                        "rotary_pct",
                                                        "partial_rotary_factor",
                                                        "transformers_version",
                                                        "use_cache",
                                                        "pretraining_tp",
                                                        "hidden_act",
                                                        "hidden_activation",
                                                        "activation_function",
                                                        "output_router_logits",
                                                        "router_aux_loss_coef",
                                                        "router_jitter_noise",
                                                        "norm_topk_prob",
                                                        "scoring_func",
                                                        "topk_method",
                                                        "aux_loss_alpha",
                                                        "seq_aux",
                                                        "routed_scaling_factor",
                                                        "ep_size",
                                                        "summary_activation",
                                                        "summary_first_dropout",
                                                        "summary_proj_to_logits",
                                                        "summary_type",
                                                        "summary_use_proj",
                                                        "task_specific_params",
                                                        "scale_attn_weights",
                                                        "max_window_layers",
                                                        "do_layer_norm_before",
                                                        "tokenizer_class",
                                                        "original_max_position_embeddings"};

const std::set<std::string, std::less<>> dropout_rates{
    "attention_dropout", "hidden_dropout", "activation_dropout", "resid_pdrop",
    "attn_pdrop",        "embd_pdrop",     "embd_dropout",       "residual_dropout",
    "embedding_dropout", "dropout",        "layerdrop"};

const Family& family_of(ForeignObject& config) {
  const std::optional<std::string> type = config.text({"model_type"});
  const auto found = std::find_if(families.begin(), families.end(), [&](const Family& family) {
    return type && family.model_type == *type;
  });
  if (found != families.end()) return *found;
  std::vector<std::string_view> known;
  for (const Family& family : families) known.push_back(family.model_type);
  throw InputError(type ? config.place_of("model_type") : config.place(),
                   type ? fmt::format("model_type \"{}\" is not known", *type)
                        : std::string("\"model_type\" is missing"),
                   "write the model inline, as in --set 'model={\"num_layers\": 32, ...}' of a "
                   "scenario (`stepcast schema` lists its keys)",
                   {fmt::format("known: {}", fmt::join(known, ", "))});
}

class ModelReader {
 public:
  ModelReader(ForeignObject& config, Imported& imported)
      : config_(config), imported_(imported), family_(family_of(config)) {}

  json read() {
    read_sizes();
    read_family();
    if (config_.count({"kv_lora_rank"}).value_or(0) > 0) read_latent_attention();
    read_experts();
    if (const std::optional<int> more = config_.count({"num_nextn_predict_layers"}); more > 0) {
      model_["multi_token_prediction"] = *more;
    }
    note_what_is_left();
    return model_;
  }

  int longest_sequence() const { return positions_.value_or(0); }

 private:
  void read_sizes() {
    model_["num_layers"] = config_.required_count({"num_hidden_layers", "n_layer", "n_layers"});
    hidden_ = config_.required_count({"hidden_size", "n_embd", "n_embed", "d_model"});
    model_["hidden_size"] = hidden_;
    heads_ = config_.required_count({"num_attention_heads", "n_head", "n_heads"});
    model_["num_attention_heads"] = heads_;
    model_["vocab_size"] = config_.required_count({"vocab_size"});
    model_["num_query_groups"] = query_groups();
    const std::optional<int> ffn =
        config_.count({"intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size"});
    model_["ffn_hidden_size"] = ffn.value_or(4 * hidden_);
    if (family_.gated_mlp && !ffn) config_.required_count({"intermediate_size"});
    positions_ = config_.count({"max_position_embeddings", "n_positions", "n_ctx", "seq_length"});
    if (const std::optional<int> size = config_.count({"head_dim"})) model_["head_size"] = *size;
  }

  int query_groups() {
    const bool one = config_.flag({"multi_query"}).value_or(false);
    const bool grouped = config_.flag({"new_decoder_architecture"}).value_or(false);
    const std::optional<int> groups = config_.count({"num_key_value_heads", "num_kv_heads"});
    return one && !grouped ? 1 : groups.value_or(heads_);
  }

  void read_family() {
    model_["gated_mlp"] = family_.gated_mlp;
    model_["tied_embeddings"] =
        config_.flag({"tie_word_embeddings"}).value_or(family_.tied_embeddings);
    model_["linear_bias"] = family_.linear_bias;
    const bool alibi = config_.flag({"alibi"}).value_or(false);
    model_["position_embedding"] = alibi ? "alibi" : family_.position_embedding;
    if (model_["position_embedding"] == "learned" && positions_) {
      model_["max_sequence_length"] = *positions_;
    }
    if (!family_.caveat.empty()) miss(std::string(family_.caveat));
    for (const char* bias : {"attention_bias", "mlp_bias", "bias", "use_bias"}) {
      const std::optional<bool> said = config_.flag({bias});
      if (said && *said != family_.linear_bias) {
        miss(fmt::format("{} {}: biases are {}", bias, *said ? "true" : "false",
                         family_.linear_bias ? "counted" : "not counted"));
      }
    }
    note_window();
  }

  void note_window() {
    const bool used = config_.flag({"use_sliding_window"}).value_or(true);
    const std::optional<int> window = config_.count({"sliding_window"});
    if (used && window) {
      miss(fmt::format("sliding_window {}: attention is counted over the whole sequence", *window));
    }
  }

  void read_latent_attention() {
    model_["kv_lora_rank"] = config_.required_count({"kv_lora_rank"});
    model_["qk_nope_head_size"] = config_.required_count({"qk_nope_head_dim"});
    model_["qk_rope_head_size"] = config_.required_count({"qk_rope_head_dim"});
    model_["v_head_size"] = config_.required_count({"v_head_dim"});
    model_["head_size"] = model_["v_head_size"];
    if (const auto rank = config_.count({"q_lora_rank"}); rank > 0) model_["q_lora_rank"] = *rank;
  }

  void read_experts() {
    const std::optional<int> experts =
        config_.count({"num_local_experts", "num_experts", "n_routed_experts"});
    if (experts.value_or(0) == 0) return;
    model_["num_experts"] = *experts;
    model_["experts_per_token"] = config_.required_count({"num_experts_per_tok"});
    const int width =
        config_.count({"moe_intermediate_size"}).value_or(model_["ffn_hidden_size"].get<int>());
    model_["expert_ffn_hidden_size"] = width;
    const int shared = config_.count({"shared_expert_intermediate_size"})
                           .value_or(config_.count({"n_shared_experts"}).value_or(0) * width);
    if (shared > 0) model_["shared_expert_ffn_hidden_size"] = shared;
    if (const int dense = dense_layers(); dense > 0) model_["dense_layers"] = dense;
    const std::optional<int> groups = config_.count({"n_group"});
    const std::optional<int> chosen = config_.count({"topk_group"});
    if (groups > 1 && chosen) {
      model_["expert_groups"] = *groups;
      model_["expert_groups_per_token"] = *chosen;
    }
  }

  // Experts in all layers but the first few is what a model can say.
  int dense_layers() {
    for (const char* step : {"decoder_sparse_step", "moe_layer_freq"}) {
      if (config_.count({step}).value_or(1) != 1) {
        throw InputError(config_.place_of(step), "experts in every few layers are not modelled",
                         "a model has experts in all layers after the first dense_layers");
      }
    }
    const json* dense = config_.value({"mlp_only_layers"});
    int first = config_.count({"first_k_dense_replace"}).value_or(0);
    if (dense == nullptr || dense->empty()) return first;
    for (const json& layer : *dense) {
      if (layer != json(first)) {
        throw InputError(config_.place_of("mlp_only_layers"),
                         "dense layers between expert layers are not modelled",
                         "a model has experts in all layers after the first dense_layers");
      }
      ++first;
    }
    return first;
  }

  void note_what_is_left() {
    if (const auto type = config_.text({"torch_dtype", "dtype"})) {
      miss(fmt::format("torch_dtype {} is of the stored weights, not of the training", *type));
    }
    const std::vector<std::string> dropout = config_.take(dropout_rates);
    if (!dropout.empty()) {
      miss(
          fmt::format("{}: kernels of a plain MLP's layers count dropout whatever its rate, those "
                      "of a gated one's do not",
                      fmt::join(dropout, ", ")));
    }
    const std::vector<std::string> idle = config_.take(without_effect);
    if (!idle.empty()) {
      miss(fmt::format("without effect on time or memory: {}", fmt::join(idle, ", ")));
    }
    const std::vector<std::string> unknown = config_.left();
    if (!unknown.empty()) miss(fmt::format("not known: {}", fmt::join(unknown, ", ")));
  }

  void miss(std::string what) { imported_.not_carried.push_back(std::move(what)); }

  ForeignObject& config_;
  Imported& imported_;
  const Family& family_;
  int hidden_ = 0;
  int heads_ = 0;
  std::optional<int> positions_;
  json model_ = json::object();
};

// Long contexts are learned at the end of a training: most of it runs on shorter sequences.
constexpr int usual_sequence = 4096;

void read_sequence(int longest, Imported& imported) {
  if (longest <= 0) return;
  imported.usual.push_back({"/batch/sequence_length",
                            std::to_string(std::min(longest, usual_sequence)),
                            fmt::format("the model takes up to {}", longest)});
}

}  // namespace

Imported read_huggingface_config(const json& config, const std::string& file) {
  Imported imported{file, std::make_shared<json>(json::object()), {}, {}};
  ForeignObject root(config, {file, ""});
  std::optional<ForeignObject> language = root.object("text_config");
  ForeignObject& of_model = language ? *language : root;
  ModelReader reader(of_model, imported);
  (*imported.scenario)["model"] = reader.read();
  read_sequence(reader.longest_sequence(), imported);
  if (language) {
    const std::vector<std::string> outside = root.left();
    imported.not_carried.push_back(
        fmt::format("outside text_config: {}", fmt::join(outside, ", ")));
  }
  return imported;
}

}  // namespace stepcast
