// Megatron-LM's and Megatron-DeepSpeed's arguments as a scenario. What an option means, and what it
// means where it is absent: megatron/training/arguments.py of Megatron-LM.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "base/fields.h"
#include "base/text_lines.h"
#include "base/unit_text.h"
#include "scenarios/import/imported.h"
#include "scenarios/import/megatron_arguments.h"
#include "scenarios/import/megatron_options.h"

namespace stepcast {
namespace {

using nlohmann::json;
using Names = std::set<std::string, std::less<>>;

/// Options that change neither time nor memory of a step as it is modelled.
const Names without_effect{"--lr",
                           "--min-lr",
                           "--lr-decay-style",
                           "--lr-decay-iters",
                           "--lr-decay-samples",
                           "--lr-warmup-fraction",
                           "--lr-warmup-iters",
                           "--lr-warmup-samples",
                           "--lr-warmup-init",
                           "--weight-decay",
                           "--start-weight-decay",
                           "--end-weight-decay",
                           "--weight-decay-incr-style",
                           "--adam-beta1",
                           "--adam-beta2",
                           "--adam-eps",
                           "--sgd-momentum",
                           "--clip-grad",
                           "--init-method-std",
                           "--norm-epsilon",
                           "--layernorm-epsilon",
                           "--rotary-base",
                           "--rotary-percent",
                           "--use-rope-scaling",
                           "--rotary-scaling-factor",
                           "--seed",
                           "--data-path",
                           "--train-data-path",
                           "--valid-data-path",
                           "--data-cache-path",
                           "--data-impl",
                           "--split",
                           "--vocab-file",
                           "--merge-file",
                           "--tokenizer-model",
                           "--tokenizer-name-or-path",
                           "--num-workers",
                           "--save",
                           "--load",
                           "--save-interval",
                           "--ckpt-format",
                           "--exit-interval",
                           "--exit-duration-in-mins",
                           "--eval-interval",
                           "--eval-iters",
                           "--log-interval",
                           "--log-throughput",
                           "--tensorboard-dir",
                           "--tensorboard-queue-size",
                           "--wandb-project",
                           "--wandb-exp-name",
                           "--distributed-backend",
                           "--distributed-timeout-minutes",
                           "--mock-data",
                           "--no-load-optim",
                           "--no-load-rng",
                           "--no-save-optim",
                           "--no-save-rng",
                           "--initial-loss-scale",
                           "--loss-scale",
                           "--moe-aux-loss-coeff",
                           "--moe-router-load-balancing-type",
                           "--moe-z-loss-coeff",
                           "--apply-layernorm-1p",
                           "--attention-softmax-in-fp32",
                           "--use-mcore-models",
                           "--use-checkpoint-args",
                           "--master-addr",
                           "--master-port",
                           "--node-rank",
                           "--rdzv-id",
                           "--rdzv-backend",
                           "--rdzv-endpoint",
                           "--rdzv-conf",
                           "--max-restarts",
                           "--tee",
                           "--log-dir",
                           "--module",
                           "--hostfile"};

/// Counted as the framework's profile has them, whatever the arguments say.
const Names counted_by_habit{"--attention-dropout", "--hidden-dropout"};

class MegatronReader {
 public:
  MegatronReader(const ShellScript& script, const std::string& file)
      : script_(script), arguments_(script, file) {
    imported_.file = file;
  }

  Imported read() {
    read_tables();
    read_model();
    read_parallel();
    read_sharding();
    read_recompute();
    read_precision();
    read_attention();
    read_duration();
    read_environment();
    note_what_is_left();
    imported_.scenario = std::make_shared<json>(scenario_);
    return imported_;
  }

 private:
  json& at(const char* pointer) { return scenario_[json::json_pointer(pointer)]; }
  bool said(const char* pointer) const { return scenario_.contains(json::json_pointer(pointer)); }
  int value_or(const char* pointer, int otherwise) {
    return said(pointer) ? at(pointer).get<int>() : otherwise;
  }
  void assume(std::string what) { imported_.assumed.push_back(std::move(what)); }
  void miss(std::string what) { imported_.not_carried.push_back(std::move(what)); }

  void read_tables() {
    for (const CountOption& option : megatron_counts) {
      if (const auto count = arguments_.count(option.option)) at(option.pointer) = *count;
    }
    for (const SwitchOption& option : megatron_switches) {
      at(option.pointer) = arguments_.has(option.option) == option.means;
    }
    for (const WordOption& option : megatron_words) read_word(option);
  }

  void read_word(const WordOption& option) {
    const std::optional<std::string> value = arguments_.text(option.option);
    if (!value || *value == "auto") return;
    for (const WordPair& pair : option.words) {
      if (pair.value != *value || pair.value.empty()) continue;
      at(option.pointer) = std::string(pair.word);
      return;
    }
    miss(fmt::format("{} {}", option.option, *value));
  }

  // --- Model ----------------------------------------------------------------------------------

  void read_model() {
    for (const char* option : {"--num-layers", "--hidden-size", "--num-attention-heads"}) {
      if (!arguments_.has(option)) {
        throw InputError(arguments_.place_of("--num-layers"), fmt::format("{} is missing", option));
      }
    }
    read_vocabulary();
    read_widths();
    read_positions();
    read_experts();
    const bool rms = arguments_.text("--normalization").value_or("LayerNorm") == "RMSNorm";
    if (rms == at("/model/linear_bias").get<bool>()) {
      assume(fmt::format("norms {} biases, as the linear layers do", rms ? "have" : "have no"));
    }
    if (arguments_.has("--add-qkv-bias")) {
      miss("--add-qkv-bias: biases of the query, key and value projections are not counted");
    }
    if (arguments_.has("--qk-layernorm") && !arguments_.has("--multi-latent-attention")) {
      miss("--qk-layernorm: norms of queries and keys are not counted");
    }
  }

  void read_vocabulary() {
    const std::string tokenizer = arguments_.text("--tokenizer-type").value_or("");
    if (!said("/model/vocab_size") && tokenizer == "GPT2BPETokenizer") {
      at("/model/vocab_size") = 50257;
      assume("model.vocab_size 50257, as GPT-2's tokenizer has it");
    }
    if (const auto multiple = arguments_.count("--make-vocab-size-divisible-by")) {
      if (*multiple != 128)
        scenario_["vocab_padding"] = *multiple * value_or("/plan/tensor_parallel", 1);
    }
  }

  void read_widths() {
    const int hidden = at("/model/hidden_size");
    // Of a gated MLP: two thirds of the plain one, in steps of 64.
    if (!said("/model/ffn_hidden_size") && at("/model/gated_mlp") == true) {
      at("/model/ffn_hidden_size") = static_cast<int>(4.0 * hidden * 2 / 3) / 64 * 64;
    }
    const bool grouped = arguments_.has("--group-query-attention");
    if (!grouped) scenario_["model"].erase("num_query_groups");
    if (grouped && !said("/model/num_query_groups")) at("/model/num_query_groups") = 1;
    if (arguments_.has("--rampup-batch-size")) {
      miss("--rampup-batch-size: a step is one of the full batch");
    }
    if (arguments_.has("--squared-relu")) assume("squared ReLU counts as GeLU");
  }

  void read_positions() {
    if (arguments_.has("--use-rotary-position-embeddings"))
      at("/model/position_embedding") = "rotary";
    if (!said("/model/position_embedding")) at("/model/position_embedding") = "learned";
    if (at("/model/position_embedding") != "learned")
      scenario_["model"].erase("max_sequence_length");
  }

  void read_experts() {
    if (arguments_.has("--multi-latent-attention") != said("/model/kv_lora_rank")) {
      throw InputError(arguments_.place_of("--multi-latent-attention"),
                       "latent attention needs --multi-latent-attention and --kv-lora-rank");
    }
    if (!said("/model/num_experts")) return;
    if (!said("/model/experts_per_token")) at("/model/experts_per_token") = 2;
    if (!said("/model/expert_ffn_hidden_size")) {
      at("/model/expert_ffn_hidden_size") =
          value_or("/model/ffn_hidden_size", 4 * at("/model/hidden_size").get<int>());
    }
    if (const auto frequency = arguments_.text("--moe-layer-freq")) read_dense_layers(*frequency);
    if (const auto factor = arguments_.number("--moe-expert-capacity-factor")) {
      at("/plan/expert_capacity") = *factor;
      if (!arguments_.has("--moe-pad-expert-input-to-capacity")) {
        assume("experts are padded to their capacity");
      }
    }
    if (arguments_.has("--moe-enable-deepep")) at("/plan/expert_dispatch") = "once_per_node";
  }

  // 1, or a list in Python's words: ([0]*3+[1]*58).
  void read_dense_layers(const std::string& frequency) {
    std::vector<int> layers;
    std::string_view rest = frequency;
    while (!rest.empty() && frequency != "1") {
      const std::size_t open = rest.find('[');
      if (open == std::string_view::npos) break;
      const std::size_t close = std::min(rest.find(']', open), rest.size());
      const std::string_view kind = rest.substr(open + 1, close - open - 1);
      rest.remove_prefix(std::min(close + 1, rest.size()));
      int times = 1;
      if (rest.starts_with("*")) {
        std::from_chars(rest.data() + 1, rest.data() + rest.size(), times);
      }
      if (kind != "0" && kind != "1") refuse_layers(frequency);
      layers.insert(layers.end(), static_cast<std::size_t>(std::clamp(times, 0, 10000)),
                    kind == "1");
    }
    const auto first_expert = std::find(layers.begin(), layers.end(), 1);
    const bool whole = layers.empty() || static_cast<int>(layers.size()) == at("/model/num_layers");
    const bool listed = frequency == "1" || !layers.empty();
    const bool simple = std::find(first_expert, layers.end(), 0) == layers.end();
    if (!whole || !simple || !listed) refuse_layers(frequency);
    const auto dense = static_cast<int>(first_expert - layers.begin());
    if (dense > 0) at("/model/dense_layers") = dense;
  }

  [[noreturn]] void refuse_layers(const std::string& frequency) const {
    throw InputError(arguments_.place_of("--moe-layer-freq"),
                     fmt::format("--moe-layer-freq {}: experts in all layers but the first few are "
                                 "modelled",
                                 frequency),
                     "1, or a list such as ([0]*3+[1]*58) of num_layers entries");
  }

  // --- Plan -----------------------------------------------------------------------------------

  void read_parallel() {
    const int stages = value_or("/plan/pipeline_parallel", 1);
    if (const auto layers = arguments_.count("--num-layers-per-virtual-pipeline-stage")) {
      const int per_stage = at("/model/num_layers").get<int>() / std::max(stages, 1);
      if (*layers < 1 || per_stage % *layers != 0) {
        throw InputError(arguments_.place_of("--num-layers-per-virtual-pipeline-stage"),
                         fmt::format("{} layers of a stage in chunks of {}", per_stage, *layers));
      }
      at("/plan/virtual_pipeline") = per_stage / *layers;
    }
    at("/plan/schedule") = value_or("/plan/virtual_pipeline", 1) > 1 ? "interleaved_1f1b" : "1f1b";
    read_uneven_stages(stages);
    read_replicas(stages);
    if (arguments_.has("--use-tp-pp-dp-mapping")) at("/plan/rank_order") = "tp-cp-ep-pp-dp";
    if (const auto ulysses = arguments_.count("--ds-sequence-parallel-size"); ulysses > 1) {
      at("/plan/context_parallel") = *ulysses;
      at("/plan/context_parallel_algorithm") = "all_to_all";
    }
  }

  void read_uneven_stages(int stages) {
    const auto first = arguments_.count("--decoder-first-pipeline-num-layers");
    const auto last = arguments_.count("--decoder-last-pipeline-num-layers");
    if (!first && !last) return;
    const int others = stages - (first ? 1 : 0) - (last ? 1 : 0);
    const int rest = at("/model/num_layers").get<int>() - first.value_or(0) - last.value_or(0);
    if (others < 1 || rest < 0 || rest % others != 0) {
      throw InputError(arguments_.place_of(first ? "--decoder-first-pipeline-num-layers"
                                                 : "--decoder-last-pipeline-num-layers"),
                       fmt::format("{} layers do not divide over {} stages", rest, others));
    }
    std::vector<int> layers(static_cast<std::size_t>(stages), rest / others);
    if (first) layers.front() = *first;
    if (last) layers.back() = *last;
    at("/plan/layers_per_stage") = layers;
  }

  // Ranks that torchrun starts, over those of one replica.
  void read_replicas(int stages) {
    const int nodes = value_or("/cluster/nodes", 0);
    const int ranks = nodes * value_or("/cluster/gpus_per_node", 0);
    const int replica =
        value_or("/plan/tensor_parallel", 1) * stages * value_or("/plan/context_parallel", 1);
    if (ranks > 0 && replica > 0 && ranks % replica == 0)
      at("/plan/data_parallel") = ranks / replica;
  }

  void read_sharding() {
    deepspeed_ = arguments_.has("--deepspeed") || arguments_.has("--deepspeed-config");
    scenario_["framework"] = deepspeed_ ? "megatron_deepspeed" : "megatron";
    if (deepspeed_) {  // DeepSpeed's own file says whether reductions overlap
      scenario_["plan"].erase("overlap_gradient_reduce");
      scenario_["plan"].erase("overlap_parameter_gather");
    }
    if (arguments_.has("--use-distributed-optimizer")) at("/plan/zero_stage") = 1;
    if (const auto stage = arguments_.count("--zero-stage")) at("/plan/zero_stage") = *stage;
    if (arguments_.has("--use-torch-fsdp2")) at("/plan/zero_stage") = 3;
    read_megatron_fsdp();
    const bool on_host =
        arguments_.has("--optimizer-cpu-offload") || arguments_.has("--cpu-optimizer");
    if (on_host) at("/plan/offload") = json::array({"optimizer"});
    if (const auto bucket = arguments_.number("--ddp-bucket-size")) {
      at("/plan/reduce_bucket") = exact_text(Bytes(*bucket * gradient_bytes()));
    }
  }

  void read_megatron_fsdp() {
    const bool used = arguments_.has("--use-custom-fsdp") || arguments_.has("--use-megatron-fsdp");
    const auto strategy = arguments_.text("--data-parallel-sharding-strategy");
    if (!strategy || !used) return;
    const std::array<std::string_view, 4> strategies{"no_shard", "optim", "optim_grads",
                                                     "optim_grads_params"};
    const auto found = std::find(strategies.begin(), strategies.end(), *strategy);
    if (found == strategies.end()) {
      miss("--data-parallel-sharding-strategy " + *strategy);
    } else {
      at("/plan/zero_stage") = static_cast<int>(found - strategies.begin());
    }
  }

  double gradient_bytes() { return arguments_.has("--grad-reduce-in-bf16") ? 2 : 4; }

  void read_recompute() {
    if (arguments_.has("--recompute-activations")) at("/plan/recompute") = "selective";
    for (const char* old : {"--checkpoint-activations", "--deepspeed-activation-checkpointing"}) {
      if (arguments_.has(old)) at("/plan/recompute") = "full";
    }
    if (!said("/plan/recompute")) at("/plan/recompute") = "none";
    const auto method = arguments_.text("--recompute-method");
    const int layers = arguments_.count("--recompute-num-layers").value_or(1);
    if (at("/plan/recompute") != "full" || !method) return;
    if (*method == "uniform" && layers == 1) return;  // every layer by itself
    at("/plan/recompute_method") = *method;
    at("/plan/recompute_num_layers") = layers;
  }

  // --- Numbers and kernels --------------------------------------------------------------------

  void read_precision() {
    const bool eight_bits = arguments_.has("--fp8-format") || arguments_.has("--fp8");
    const bool half = arguments_.has("--fp16");
    const bool brain = arguments_.has("--bf16");
    scenario_["precision"] = eight_bits ? "fp8" : brain ? "bf16" : half ? "fp16" : "fp32";
    if (arguments_.has("--grad-reduce-in-bf16")) scenario_["gradient_precision"] = "bf16";
    arguments_.has("--accumulate-allreduce-grads-in-fp32");  // the recipe
    for (const char* unfused : {"--no-bias-gelu-fusion", "--no-bias-swiglu-fusion"}) {
      if (arguments_.has(unfused)) at("/runtime/kernel_fusion") = false;
    }
    arguments_.has("--no-masked-softmax-fusion");
    arguments_.has("--no-bias-dropout-fusion");
  }

  void read_attention() {
    const bool flash = arguments_.has("--use-flash-attn") || arguments_.has("--use-flash-attn-v2");
    if (flash) scenario_["attention"] = "flash2";
    if (arguments_.has("--use-flash-attn-v1")) scenario_["attention"] = "flash1";
    if (scenario_.contains("attention")) return;
    const bool local = arguments_.text("--transformer-impl").value_or("") == "local";
    const bool fused = !local && !deepspeed_ && scenario_["precision"] != "fp32";
    scenario_["attention"] = fused ? "flash2" : "unfused";
    if (fused)
      assume("attention flash2, as Transformer Engine chooses for --attention-backend auto");
  }

  void read_duration() {
    const double sequence = value_or("/batch/sequence_length", 0);
    const std::optional<double> samples = arguments_.number("--train-samples");
    const std::optional<double> steps = arguments_.number("--train-iters");
    const std::optional<double> tokens = arguments_.number("--train-tokens");
    const double seen = tokens.value_or(
        samples.value_or(steps.value_or(0) * value_or("/batch/global_batch", 0)) * sequence);
    if (seen > 0) scenario_["training_tokens"] = seen;
    if (!said("/batch/micro_batch")) at("/batch/micro_batch") = 1;
  }

  void read_environment() {
    std::vector<std::string> others;
    for (const auto& [name, value] : script_.exported) {
      if (name == "CUDA_LAUNCH_BLOCKING") {
        at("/runtime/launch_blocking") = value == "1";
      } else if (name == "PYTORCH_CUDA_ALLOC_CONF" && value == "expandable_segments:True") {
        at("/runtime/expandable_segments") = true;
      } else {
        others.push_back(name);
      }
    }
    if (!others.empty()) miss(fmt::format("environment: {}", fmt::join(others, ", ")));
    for (const ShellComment& comment : script_.comments) read_comment(comment);
  }

  // What `stepcast export` could not say in arguments.
  void read_comment(const ShellComment& comment) {
    constexpr std::string_view mark = " stepcast: ";
    if (!std::string_view(comment.text).starts_with(mark)) return;
    const InputPlace place = line_place(imported_.file, comment.line);
    imported_.rest = std::make_shared<json>(
        parse_json(comment.text.substr(mark.size()), place.file + ": " + place.pointer));
  }

  void note_what_is_left() {
    for (const std::size_t line : script_.control_lines) {
      miss(fmt::format(
          "line {}: conditions and loops are not evaluated, their commands count as run",
          line + 1));
    }
    const std::vector<std::string> habits = arguments_.take(counted_by_habit);
    if (!habits.empty()) {
      miss(fmt::format("as the framework's habit has it: {}", fmt::join(habits, ", ")));
    }
    const std::vector<std::string> idle = arguments_.take(without_effect);
    if (!idle.empty()) {
      miss(fmt::format("without effect on time or memory: {}", fmt::join(idle, ", ")));
    }
    const std::vector<std::string> unknown = arguments_.left();
    if (!unknown.empty()) miss(fmt::format("not known: {}", fmt::join(unknown, ", ")));
  }

  const ShellScript& script_;
  MegatronArguments arguments_;
  Imported imported_;
  bool deepspeed_ = false;
  json scenario_ = json::object();
};

}  // namespace

Imported read_megatron_script(std::string_view text, const std::string& file) {
  const ShellScript script = read_shell_script(text, file);
  return MegatronReader(script, file).read();
}

}  // namespace stepcast
