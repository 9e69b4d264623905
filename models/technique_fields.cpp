#include "models/technique_fields.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace stepcast {
namespace {

constexpr std::array<std::pair<RecomputeMethod, std::string_view>, 3> recompute_methods{{
    {RecomputeMethod::Uniform, "uniform"},
    {RecomputeMethod::Block, "block"},
    {RecomputeMethod::SquareRoot, "square_root"},
}};

constexpr std::array<std::pair<GradientCompression, std::string_view>, 4> compressions{{
    {GradientCompression::Fp16, "fp16"},
    {GradientCompression::Int8, "int8"},
    {GradientCompression::OneBitAdam, "one_bit_adam"},
    {GradientCompression::PowerSgd, "powersgd"},
}};

constexpr std::array<std::pair<Optimizer, std::string_view>, 6> optimizer_words{{
    {Optimizer::AdamW, "adamw"},
    {Optimizer::Adam, "adam"},
    {Optimizer::Adam8bit, "adam_8bit"},
    {Optimizer::Adafactor, "adafactor"},
    {Optimizer::SgdMomentum, "sgd_momentum"},
    {Optimizer::Muon, "muon"},
}};

constexpr std::array<std::pair<FineTuningMethod, std::string_view>, 2> tuning_methods{{
    {FineTuningMethod::Lora, "lora"},
    {FineTuningMethod::QLora, "qlora"},
}};

constexpr std::array<std::pair<BasePrecision, std::string_view>, 3> base_precisions{{
    {BasePrecision::Bf16, "bf16"},
    {BasePrecision::Int8, "int8"},
    {BasePrecision::Nf4, "nf4"},
}};

constexpr std::array<std::pair<SparsityPattern, std::string_view>, 2> sparsity_patterns{{
    {SparsityPattern::TwoOfFour, "2:4"},
    {SparsityPattern::Unstructured, "unstructured"},
}};

/// In the order of layer_matrices.
constexpr std::array<std::string_view, 4> tuning_targets{"query_key_value", "attention_output",
                                                         "mlp_input", "mlp_output"};

constexpr std::array<std::string_view, 3> offload_words{"optimizer", "parameters", "activations"};

std::array<bool*, 3> switches_of(Offload& offload) {
  return {&offload.optimizer, &offload.parameters, &offload.activations};
}

constexpr std::array<std::string_view, 6> operation_words{"attention_core",    "norm", "activation",
                                                          "mla_up_projection", "mlp",  "experts"};

std::array<bool*, 6> switches_of(RecomputedOperations& again) {
  return {&again.attention_core,    &again.norm, &again.activation,
          &again.mla_up_projection, &again.mlp,  &again.experts};
}

constexpr std::array<std::string_view, 2> fp8_words{"activation_input", "attention_output"};

std::array<bool*, 2> switches_of(KeptInFp8& kept) {
  return {&kept.activation_input, &kept.attention_output};
}

/// A set of switches as the places of those that are on.
template <class Switches>
std::vector<std::size_t> chosen_of(Switches& value) {
  const auto switches = switches_of(value);
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < switches.size(); ++i) {
    if (*switches[i]) chosen.push_back(i);
  }
  return chosen;
}

template <class Switches, std::size_t size>
void describe_switches(Fields& f, std::string_view key, Switches& value,
                       const std::array<std::string_view, size>& words, const FieldRules& rules) {
  std::vector<std::size_t> chosen = chosen_of(value);
  f.word_list(key, chosen, words, rules);
  if (!f.reading()) return;
  const std::array<bool*, size> switches = switches_of(value);
  for (bool* const chosen_switch : switches) *chosen_switch = false;
  for (const std::size_t i : chosen) *switches[i] = true;
}

}  // namespace

std::vector<std::string_view> words(const RecomputedOperations& operations) {
  RecomputedOperations copy = operations;
  std::vector<std::string_view> names;
  for (const std::size_t i : chosen_of(copy)) names.push_back(operation_words[i]);
  return names;
}

void describe_sharding_traffic(Fields& f, ShardingTraffic& sharding) {
  f.field("reduce_bucket", sharding.reduce_bucket,
          {.more_than = 0, .doc = "size of one gradient reduction; the framework's unless said"});
  f.field("gather_bucket", sharding.gather_bucket,
          {.more_than = 0, .doc = "size of one parameter gather; the framework's unless said"});
  f.field("prefetch_units", sharding.prefetch_units,
          {.at_least = 0,
           .at_most = 1000,
           .doc = "zero_stage 3: units gathered ahead of the one in use; 1 unless said"});
  f.field("gather_limit", sharding.gather_limit,
          {.at_least = 1,
           .at_most = 1000,
           .doc = "zero_stage 3: units gathered at one time; prefetch_units + 1 unless said"});
  f.field("reshard_after_forward", sharding.reshard_after_forward,
          {.doc = "zero_stage 3: parameters are let go after the forward pass and gathered again"});
  f.field("quantized_gather", sharding.quantized_gather,
          {.doc = "zero_stage 3: parameters are gathered in 8 bits (qwZ of ZeRO++)"});
}

void describe_offload(Fields& f, Offload& offload) {
  describe_switches(f, "offload", offload, offload_words,
                    {.doc = "what lives in the host's memory; a word or a list"});
}

void describe_recompute_operations(Fields& f, ParallelPlan& plan) {
  describe_switches(f, "recompute_operations", plan.recompute_operations, operation_words,
                    {.doc = "of recompute selective: operations whose outputs are not kept; a word "
                            "or a list. The framework's habit unless said"});
}

void describe_kept_in_fp8(Fields& f, KeptInFp8& kept) {
  describe_switches(f, "kept_in_fp8", kept, fp8_words,
                    {.doc = "of precision fp8: what is stored in 8 (attention_output: 12) bits "
                            "beside the inputs of matrix products; a word or a list"});
}

void describe_recompute_method(Fields& f, ParallelPlan& plan) {
  f.field(
      "recompute_method", plan.recompute_method, recompute_methods,
      {.doc = "of full recompute: segments of recompute_num_layers (uniform), that many layers "
              "of a chunk (block), segments of sqrt(layers); every layer by itself unless said"});
  f.field("recompute_num_layers", plan.recompute_num_layers,
          {.at_least = 1, .at_most = 1e6, .doc = "layers that uniform and block count"});
  const bool counts = plan.recompute_method == RecomputeMethod::Uniform ||
                      plan.recompute_method == RecomputeMethod::Block;
  if (plan.recompute_num_layers != 1 && !counts) {
    f.fault("recompute_num_layers", "recompute_num_layers needs recompute_method uniform or block");
  }
}

void describe_compression(Fields& f, ParallelPlan& plan) {
  f.field("gradient_compression", plan.gradient_compression, compressions,
          {.doc = "how gradients are made smaller before they are reduced"});
  f.field("compression_rank", plan.compression_rank,
          {.at_least = 1, .at_most = 1e4, .doc = "of gradient_compression powersgd"});
  const bool has_rank = plan.gradient_compression == GradientCompression::PowerSgd;
  if (plan.compression_rank != ParallelPlan().compression_rank && !has_rank) {
    f.fault("compression_rank", "compression_rank needs gradient_compression powersgd");
  }
}

void describe(Fields& f, FineTuning& tuning) {
  f.field("method", tuning.method, tuning_methods,
          {.doc = "lora, or qlora: the same over weights of 4 bits"});
  f.field("rank", tuning.rank, {.at_least = 1, .at_most = 1e4, .doc = "of the adapters"});
  std::vector<std::size_t> targets;
  for (std::size_t i = 0; i < tuning.targets.size(); ++i) {
    if (tuning.targets[i]) targets.push_back(i);
  }
  f.word_list("targets", targets, tuning_targets,
              {.doc = "matrices that have an adapter; all unless said"});
  std::optional<BasePrecision> base;
  if (!f.reading()) base = tuning.base_precision;
  f.field("base_precision", base, base_precisions,
          {.doc = "of the frozen layers' matrices: bf16 unless said, nf4 with qlora"});
  if (!f.reading()) return;
  tuning.targets = {};
  for (const std::size_t i : targets) tuning.targets[i] = true;
  const bool qlora = tuning.method == FineTuningMethod::QLora;
  if (qlora && base == BasePrecision::Bf16) {
    f.fault("base_precision", "qlora trains adapters over quantised weights, bf16 is none",
            "\"method\": \"lora\" goes with bf16");
  }
  tuning.base_precision = base.value_or(qlora ? BasePrecision::Nf4 : BasePrecision::Bf16);
  if (targets.empty()) f.fault("targets", "fine-tuning without a target trains nothing");
}

void describe(Fields& f, Sparsity& sparsity) {
  f.field("pattern", sparsity.pattern, sparsity_patterns,
          {.doc = "2:4 runs on sparse tensor cores; unstructured masks gain no time"});
  f.field("density", sparsity.density,
          {.more_than = 0, .at_most = 1, .doc = "share of the weights that are not zero"});
  f.field("mask_update_interval", sparsity.mask_update_interval,
          {.at_least = 1, .at_most = 1e9, .doc = "steps from one choice of the mask to the next"});
  if (sparsity.pattern == SparsityPattern::TwoOfFour && sparsity.density != 0.5) {
    f.fault("density", "a 2:4 pattern has a density of 0.5",
            "other densities need \"pattern\": \"unstructured\"");
  }
}

void describe_optimizer(Fields& f, Optimizer& optimizer) {
  f.field("optimizer", optimizer, optimizer_words, {.doc = "adamw unless said"});
}

}  // namespace stepcast
