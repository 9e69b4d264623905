// A scenario as a launch script: the other way through scenarios/import/megatron.cpp.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/export/exported.h"
#include "scenarios/export/scenario_rest.h"
#include "scenarios/import/megatron_options.h"
#include "scenarios/import/shell_script.h"

namespace stepcast {
namespace {

using nlohmann::json;

class ArgumentWriter {
 public:
  explicit ArgumentWriter(const Scenario& scenario)
      : scenario_(scenario),
        whole_(whole_scenario(scenario)),
        deepspeed_(scenario.job.framework == Framework::MegatronDeepspeed) {}

  std::vector<std::string> write() {
    for (const CountOption& option : megatron_counts) write_count(option);
    for (const SwitchOption& option : megatron_switches) {
      const json* value = find(option.pointer);
      const bool of_deepspeed =
          deepspeed_ && std::string_view(option.option).starts_with("--overlap");
      if (value != nullptr && *value == option.means && !of_deepspeed) add(option.option);
    }
    for (const WordOption& option : megatron_words) write_word(option);
    write_model();
    write_plan();
    write_numbers();
    write_duration();
    return arguments_;
  }

 private:
  const json* find(const char* pointer) const {
    const json::json_pointer at(pointer);
    return whole_.contains(at) ? &whole_[at] : nullptr;
  }
  void add(const std::string& option) { arguments_.push_back(option); }
  template <class Value>
  void add(const char* option, const Value& value) {
    arguments_.push_back(fmt::format("{} {}", option, value));
  }

  // Options that need more than their key are written below.
  static bool is_special(std::string_view option) {
    return option == "--nnodes" || option == "--nproc-per-node" || option == "--kv-channels" ||
           option == "--num-query-groups" || option == "--max-position-embeddings";
  }

  void write_count(const CountOption& option) {
    const json* value = find(option.pointer);
    if (value == nullptr || is_special(option.option)) return;
    if (*value != option.unless_said) add(option.option, value->get<int>());
  }

  void write_word(const WordOption& option) {
    const json* value = find(option.pointer);
    if (value == nullptr ||
        (deepspeed_ && option.option == std::string_view("--attention-backend"))) {
      return;
    }
    for (const WordPair& pair : option.words) {
      if (pair.word.empty() || *value != json(pair.word)) continue;
      add(option.option, pair.value);
      return;
    }
  }

  void write_model() {
    const Transformer& model = scenario_.job.model;
    if (model.head_size * model.num_attention_heads != model.hidden_size) {
      add("--kv-channels", model.head_size);
    }
    if (model.num_query_groups != model.num_attention_heads) {
      add("--group-query-attention");
      add("--num-query-groups", model.num_query_groups);
    }
    const bool table = model.position_embedding == PositionEmbedding::Learned;
    add("--max-position-embeddings", table && model.max_sequence_length > 0
                                         ? model.max_sequence_length
                                         : scenario_.job.batch.sequence_length);
    if (!model.linear_bias) add("--normalization RMSNorm");
    if (model.latent_attention.used()) add("--multi-latent-attention");
    if (const int dense = model.experts.dense_layers; dense > 0) {
      add("--moe-layer-freq",
          shell_quoted(fmt::format("([0]*{}+[1]*{})", dense, model.num_layers - dense)));
    }
    if (const std::optional<int> padding = scenario_.job.vocab_padding) {
      const int tensor = scenario_.job.plan.tensor_parallel;
      if (*padding % tensor == 0) add("--make-vocab-size-divisible-by", *padding / tensor);
    }
  }

  void write_plan() {
    const ParallelPlan& plan = scenario_.job.plan;
    if (plan.rank_order == "tp-cp-ep-pp-dp") add("--use-tp-pp-dp-mapping");
    if (plan.recompute == Recompute::Full) write_recompute_method(plan);
    if (plan.expert_capacity) {
      add("--moe-expert-capacity-factor", *plan.expert_capacity);
      add("--moe-pad-expert-input-to-capacity");
    }
    if (plan.expert_dispatch == ExpertDispatch::OncePerNode) add("--moe-enable-deepep");
    write_sharding(plan);
  }

  void write_recompute_method(const ParallelPlan& plan) {
    const bool block = plan.recompute_method == RecomputeMethod::Block;
    add("--recompute-method", block ? "block" : "uniform");
    add("--recompute-num-layers", plan.recompute_num_layers);
  }

  void write_sharding(const ParallelPlan& plan) {
    constexpr std::array<std::string_view, 4> strategies{"no_shard", "optim", "optim_grads",
                                                         "optim_grads_params"};
    if (deepspeed_) {
      add("--deepspeed");
      add("--zero-stage", plan.zero_stage);
      if (plan.offload.optimizer) add("--cpu-optimizer");
      return;
    }
    if (plan.zero_stage > 0) add("--use-distributed-optimizer");
    if (plan.zero_stage > 1) {
      add("--use-megatron-fsdp");
      add("--data-parallel-sharding-strategy",
          strategies[static_cast<std::size_t>(plan.zero_stage)]);
    }
    if (plan.offload.optimizer) add("--optimizer-cpu-offload");
  }

  void write_numbers() {
    const TrainingJob& job = scenario_.job;
    if (job.precision == Precision::Bf16 || job.precision == Precision::Fp8) add("--bf16");
    if (job.precision == Precision::Fp16) add("--fp16");
    if (job.precision == Precision::Fp8) add("--fp8-format hybrid");
    if (job.gradient_precision == Precision::Bf16) add("--grad-reduce-in-bf16");
    if (job.runtime.kernel_fusion == false) {
      for (const char* fusion : {"masked-softmax", "bias-gelu", "bias-swiglu", "bias-dropout"}) {
        add(fmt::format("--no-{}-fusion", fusion));
      }
    }
    if (!deepspeed_) return;
    if (job.attention == AttentionKernel::Flash1) add("--use-flash-attn-v1");
    if (job.attention == AttentionKernel::Flash2) add("--use-flash-attn-v2");
  }

  // Whole sequences of the training; a part of one goes with the rest.
  void write_duration() {
    if (!scenario_.training_tokens) return;
    const double samples = *scenario_.training_tokens / scenario_.job.batch.sequence_length;
    if (samples == std::floor(samples) && samples < 1e15)
      add("--train-samples", fmt::format("{:.0f}", samples));
  }

  const Scenario& scenario_;
  const json whole_;
  bool deepspeed_;
  std::vector<std::string> arguments_;
};

std::string environment(const Scenario& scenario) {
  std::string text;
  if (scenario.job.runtime.launch_blocking) text += "export CUDA_LAUNCH_BLOCKING=1\n";
  if (scenario.job.runtime.expandable_segments) {
    text += "export PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True\n";
  }
  return text;
}

std::string launch(const Scenario& scenario) {
  const ClusterSpec& cluster = scenario.cluster;
  const int gpus = cluster.gpus_per_node > 0 ? cluster.gpus_per_node : cluster.node.gpus;
  return fmt::format(
      "{}ARGUMENTS=(\n  {}\n)\ntorchrun --nnodes {} --nproc_per_node {} \"$@\" pretrain_gpt.py "
      "\"${{ARGUMENTS[@]}}\"\n",
      environment(scenario), fmt::join(ArgumentWriter(scenario).write(), "\n  "), cluster.nodes,
      gpus);
}

}  // namespace

Exported megatron_script(const Scenario& scenario) {
  const std::string commands = launch(scenario);
  const json rest = scenario_rest(scenario, read_megatron_script(commands, "the exported script"));
  const std::string head =
      "#!/usr/bin/env bash\n"
      "# Written by stepcast export. torchrun takes rendezvous options in front, as in "
      "--node_rank.\n"
      "# What no argument says, for stepcast import:\n";
  return {head + "# stepcast: " + rest.dump() + "\n" + commands, keys_of_rest(rest)};
}

}  // namespace stepcast
