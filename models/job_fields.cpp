// The words and keys of a training job: how plan, batch and settings are read and written. Words
// that are known but not modelled yet are read in order to be refused by name.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/contract.h"
#include "base/fields.h"
#include "models/technique_fields.h"
#include "models/training_job.h"

namespace stepcast {
namespace {

template <class Enum, std::size_t size>
using WordTable = std::array<std::pair<Enum, std::string_view>, size>;

constexpr WordTable<Recompute, 3> recompute_words{{
    {Recompute::None, "none"},
    {Recompute::Selective, "selective"},
    {Recompute::Full, "full"},
}};

constexpr WordTable<Precision, 5> precision_words{{
    {Precision::Fp32, "fp32"},
    {Precision::Tf32, "tf32"},
    {Precision::Fp16, "fp16"},
    {Precision::Bf16, "bf16"},
    {Precision::Fp8, "fp8"},
}};

constexpr WordTable<AttentionKernel, 4> attention_words{{
    {AttentionKernel::Unfused, "unfused"},
    {AttentionKernel::Flash1, "flash1"},
    {AttentionKernel::Flash2, "flash2"},
    {AttentionKernel::Flash3, "flash3"},
}};

constexpr WordTable<Framework, 7> framework_words{{
    {Framework::Megatron, "megatron"},
    {Framework::MegatronDeepspeed, "megatron_deepspeed"},
    {Framework::Deepspeed, "deepspeed"},
    {Framework::Fsdp, "fsdp"},
    {Framework::Nanotron, "nanotron"},
    {Framework::Torchtitan, "torchtitan"},
    {Framework::Internevo, "internevo"},
}};

constexpr WordTable<Optimizer, 2> optimizer_words{{
    {Optimizer::AdamW, "adamw"},
    {Optimizer::Adam, "adam"},
}};

/// Every schedule word of the scenario's contract; the last two have no program yet.
enum class ScheduleWord { GPipe, OneForwardOneBackward, Interleaved, ZeroBubble, DualPipe };

constexpr WordTable<ScheduleWord, 5> schedule_words{{
    {ScheduleWord::GPipe, "gpipe"},
    {ScheduleWord::OneForwardOneBackward, "1f1b"},
    {ScheduleWord::Interleaved, "interleaved_1f1b"},
    {ScheduleWord::ZeroBubble, "zero_bubble"},
    {ScheduleWord::DualPipe, "dual_pipe"},
}};

template <class Enum, std::size_t size>
std::string_view find_word(const WordTable<Enum, size>& table, Enum value) {
  for (const auto& [word_value, name] : table) {
    if (word_value == value) return name;
  }
  STEPCAST_REQUIRES(false && "every enumerator has a word");
  return {};
}

ScheduleWord schedule_word(Schedule schedule) {
  switch (schedule) {
    case Schedule::GPipe:
      return ScheduleWord::GPipe;
    case Schedule::OneForwardOneBackward:
      return ScheduleWord::OneForwardOneBackward;
    case Schedule::Interleaved:
      return ScheduleWord::Interleaved;
  }
  STEPCAST_REQUIRES(false && "every schedule has a word");
  return {};
}

std::optional<Schedule> modelled_schedule(ScheduleWord word) {
  switch (word) {
    case ScheduleWord::GPipe:
      return Schedule::GPipe;
    case ScheduleWord::OneForwardOneBackward:
      return Schedule::OneForwardOneBackward;
    case ScheduleWord::Interleaved:
      return Schedule::Interleaved;
    case ScheduleWord::ZeroBubble:
    case ScheduleWord::DualPipe:
      return std::nullopt;
  }
  return std::nullopt;
}

void refuse_unmodelled(const Fields& f, std::string_view key, const std::string& what) {
  f.fault(key, what + " is not modelled yet");
}

void describe_schedule(Fields& f, ParallelPlan& plan) {
  std::optional<ScheduleWord> schedule;
  if (plan.schedule) schedule = schedule_word(*plan.schedule);
  // The schema lists what can be run; reading knows the others too, to say why it refuses them.
  const Words<ScheduleWord> words(schedule_words);
  f.field("schedule", schedule, f.reading() ? words : words.first(3),
          {.doc = "1f1b unless said; interleaved_1f1b where virtual_pipeline > 1"});
  if (!f.reading() || !schedule) return;
  plan.schedule = modelled_schedule(*schedule);
  if (!plan.schedule) {
    refuse_unmodelled(f, "schedule",
                      "schedule " + std::string(find_word(schedule_words, *schedule)));
  }
}

// No cluster is larger, and products of degrees stay far inside 64 bits.
constexpr double max_degree = 1e4;
constexpr double max_replicas = 1e6;

void describe_degrees(Fields& f, ParallelPlan& plan) {
  f.field("tensor_parallel", plan.tensor_parallel,
          {.at_least = 1, .at_most = max_degree, .doc = "ranks that share every matrix"});
  f.field("pipeline_parallel", plan.pipeline_parallel,
          {.at_least = 1, .at_most = max_degree, .doc = "stages"});
  f.field("virtual_pipeline", plan.virtual_pipeline,
          {.at_least = 1, .at_most = max_degree, .doc = "model chunks per stage"});
  std::optional<int> data_parallel;
  if (plan.data_parallel > 0) data_parallel = plan.data_parallel;
  f.field("data_parallel", data_parallel,
          {.at_least = 1, .at_most = max_replicas, .doc = "replicas; what is left unless said"});
  if (f.reading()) plan.data_parallel = data_parallel.value_or(plan.data_parallel);
  f.field("context_parallel", plan.context_parallel,
          {.at_least = 1, .at_most = max_degree, .doc = "ranks that share a sequence"});
  f.field("expert_parallel", plan.expert_parallel,
          {.at_least = 1, .at_most = max_degree, .doc = "ranks that share the experts"});
  if (f.reading() && plan.expert_parallel > 1) {
    refuse_unmodelled(f, "expert_parallel",
                      "expert_parallel " + std::to_string(plan.expert_parallel));
  }
}

void describe_sharding(Fields& f, ParallelPlan& plan) {
  f.field("sequence_parallel", plan.sequence_parallel,
          {.doc = "norms and residuals are split over the tensor-parallel ranks"});
  f.field("zero_stage", plan.zero_stage,
          {.at_least = 0, .at_most = 3, .doc = "1: optimizer, 2: gradients, 3: parameters (FSDP)"});
  std::optional<int> shard_group;
  if (plan.shard_group > 0) shard_group = plan.shard_group;
  f.field("shard_group", shard_group,
          {.at_least = 1, .doc = "ranks that zero_stage 3 shards over; all unless said"});
  if (f.reading()) plan.shard_group = shard_group.value_or(plan.shard_group);
}

void describe_placement(Fields& f, ParallelPlan& plan) {
  f.field("layers_per_stage", plan.layers_per_stage,
          {.at_least = 0, .doc = "layers of each stage; the framework's rule unless said"});
  f.field("rank_order", plan.rank_order,
          {.doc = "axes by how fast they vary from rank to rank; tp-cp-ep-dp-pp unless said"});
  if (!parse_rank_order(plan.rank_order)) {
    f.fault("rank_order", "rank_order \"" + plan.rank_order + "\" is no order of the five axes",
            "name each of tp, cp, ep, dp and pp once, as in tp-cp-ep-dp-pp");
  }
}

/// Keys of the scenario's contract that have no model yet: neither written nor in the schema.
void refuse_unmodelled_keys(Fields& f) {
  if (!f.reading()) return;
  std::optional<std::string> compression;
  f.field("gradient_compression", compression, {});
  if (compression) refuse_unmodelled(f, "gradient_compression", "gradient_compression");
}

}  // namespace

std::string_view word(Framework framework) { return find_word(framework_words, framework); }
std::string_view word(Recompute recompute) { return find_word(recompute_words, recompute); }
std::string_view word(Precision precision) { return find_word(precision_words, precision); }
std::string_view word(AttentionKernel attention) { return find_word(attention_words, attention); }
std::string_view word(Schedule schedule) {
  return find_word(schedule_words, schedule_word(schedule));
}

void describe(Fields& f, ParallelPlan& plan) {
  describe_degrees(f, plan);
  describe_sharding(f, plan);
  describe_schedule(f, plan);
  f.field("recompute", plan.recompute, recompute_words,
          {.doc = "activations computed again in the backward pass"});
  f.field("overlap_gradient_reduce", plan.overlap_gradient_reduce,
          {.doc = "gradients are reduced beside the backward pass; the framework's default"});
  f.field("overlap_parameter_gather", plan.overlap_parameter_gather,
          {.doc = "parameters are gathered beside the forward pass; the framework's default"});
  f.field("keep_gathered_inputs", plan.keep_gathered_inputs,
          {.doc = "gathered tensor-parallel inputs are kept for the backward pass"});
  describe_sharding_traffic(f, plan.sharding);
  describe_offload(f, plan.offload);
  describe_placement(f, plan);
  refuse_unmodelled_keys(f);
}

void describe(Fields& f, Batch& batch) {
  f.field(
      "global_batch", batch.global_batch,
      {.presence = Presence::Required, .at_least = 1, .at_most = 1e8, .doc = "sequences a step"});
  f.field("micro_batch", batch.micro_batch,
          {.at_least = 1, .at_most = 1e8, .doc = "sequences a pipeline slot"});
  f.field("sequence_length", batch.sequence_length,
          {.presence = Presence::Required,
           .at_least = 1,
           .at_most = 1e9,
           .doc = "tokens of a sequence"});
}

void describe(Fields& f, Runtime& runtime) {
  f.field("torch_compile", runtime.torch_compile, {.doc = "the model is compiled"});
  f.field("launch_blocking", runtime.launch_blocking,
          {.doc = "CUDA_LAUNCH_BLOCKING: the host waits for every kernel"});
}

void describe_settings(Fields& f, TrainingJob& job) {
  f.object("batch", [&](Fields& g) { describe(g, job.batch); },
           {.presence = Presence::Required, .doc = "how many sequences of what length"});
  f.object("plan", [&](Fields& g) { describe(g, job.plan); }, {.doc = "how the work is split"});
  f.field("precision", job.precision, precision_words, {.doc = "of the matrix products"});
  f.field("attention", job.attention, attention_words, {.doc = "kernel"});
  f.field("framework", job.framework, framework_words, {.doc = "what runs the training"});
  f.object("runtime", [&](Fields& g) { describe(g, job.runtime); },
           {.doc = "the launch environment"});
  f.field("optimizer", job.optimizer, optimizer_words, {.doc = "adamw unless said"});
  f.field("optimizer_state_precision", job.optimizer_state_precision, precision_words,
          {.doc = "of moments and master weights, where it is not the recipe's"});
  f.field("gradient_precision", job.gradient_precision, precision_words,
          {.doc = "of kept gradients, where it is not the recipe's"});
  f.field(
      "vocab_padding", job.vocab_padding,
      {.at_least = 1, .doc = "vocabulary rows: a multiple of this; the framework's unless said"});
}

}  // namespace stepcast
