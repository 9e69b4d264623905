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

}  // namespace

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
}

void describe_offload(Fields& f, Offload& offload) {
  const std::array<bool*, 3> switches = switches_of(offload);
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < switches.size(); ++i) {
    if (*switches[i]) chosen.push_back(i);
  }
  f.word_list("offload", chosen, offload_words,
              {.doc = "what lives in the host's memory; a word or a list"});
  if (!f.reading()) return;
  for (bool* const chosen_switch : switches) *chosen_switch = false;
  for (const std::size_t i : chosen) *switches[i] = true;
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
