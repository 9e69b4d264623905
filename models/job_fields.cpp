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

constexpr WordTable<Schedule, 6> schedule_words{{
    {Schedule::GPipe, "gpipe"},
    {Schedule::OneForwardOneBackward, "1f1b"},
    {Schedule::Interleaved, "interleaved_1f1b"},
    {Schedule::ZeroBubble, "zero_bubble"},
    {Schedule::ZeroBubbleV, "zb_v"},
    {Schedule::DualPipe, "dual_pipe"},
}};

constexpr WordTable<ExpertDispatch, 2> expert_dispatch_words{{
    {ExpertDispatch::AllToAll, "all_to_all"},
    {ExpertDispatch::OncePerNode, "once_per_node"},
}};

template <class Enum, std::size_t size>
std::string_view find_word(const WordTable<Enum, size>& table, Enum value) {
  for (const auto& [word_value, name] : table) {
    if (word_value == value) return name;
  }
  STEPCAST_REQUIRES(false && "every enumerator has a word");
  return {};
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
  f.field("context_parallel_algorithm", plan.context_parallel_algorithm, kContextAlgorithmWords,
          {.doc = "how ranks see each other's keys and values; the framework's unless said: ring "
                  "but for torchtitan, all_gather. all_to_all is Ulysses"});
}

void describe_experts(Fields& f, ParallelPlan& plan) {
  f.field("expert_parallel", plan.expert_parallel,
          {.at_least = 1,
           .at_most = max_degree,
           .doc = "ranks that share the experts: of those of one stage, in rank order"});
  std::optional<int> matrices;
  if (plan.expert_tensor_parallel > 0) matrices = plan.expert_tensor_parallel;
  f.field("expert_tensor_parallel", matrices,
          {.at_least = 1,
           .at_most = max_degree,
           .doc = "ranks that share an expert's matrices; tensor_parallel unless said"});
  if (f.reading()) plan.expert_tensor_parallel = matrices.value_or(plan.expert_tensor_parallel);
  f.field("expert_capacity", plan.expert_capacity,
          {.at_least = 0.01,
           .at_most = 100,
           .doc = "rows of every expert over the mean, padded and cut; dropless unless said"});
  f.field("expert_load_imbalance", plan.expert_load_imbalance,
          {.at_least = 1,
           .at_most = 1e4,
           .doc = "dropless: rows of the busiest rank's experts over the mean; 1 unless said"});
  f.field("expert_dispatch", plan.expert_dispatch, expert_dispatch_words,
          {.doc = "how tokens get to their experts; all_to_all unless said"});
  f.field("overlap_shared_experts", plan.overlap_shared_experts,
          {.doc = "shared experts run beside the exchange of the routed ones' tokens"});
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
  f.field("account_for_embedding_in_pipeline_split", plan.embedding_counts_as_layer,
          {.doc = "the embedding counts as a layer where layers are dealt evenly"});
  f.field("account_for_loss_in_pipeline_split", plan.loss_counts_as_layer,
          {.doc = "the output layer counts as a layer where layers are dealt evenly"});
  f.field("rank_order", plan.rank_order,
          {.doc = "axes by how fast they vary from rank to rank; tp-cp-ep-dp-pp unless said"});
  if (!parse_rank_order(plan.rank_order)) {
    f.fault("rank_order", "rank_order \"" + plan.rank_order + "\" is no order of the five axes",
            "name each of tp, cp, ep, dp and pp once, as in tp-cp-ep-dp-pp");
  }
}

}  // namespace

std::string_view word(Framework framework) { return find_word(framework_words, framework); }
std::string_view word(Recompute recompute) { return find_word(recompute_words, recompute); }
std::string_view word(Precision precision) { return find_word(precision_words, precision); }
std::string_view word(AttentionKernel attention) { return find_word(attention_words, attention); }
std::string_view word(Schedule schedule) { return find_word(schedule_words, schedule); }

void describe(Fields& f, ParallelPlan& plan) {
  describe_degrees(f, plan);
  describe_experts(f, plan);
  describe_sharding(f, plan);
  f.field("schedule", plan.schedule, schedule_words,
          {.doc = "1f1b unless said; interleaved_1f1b where virtual_pipeline > 1. zero_bubble is "
                  "ZB-H1, zb_v ZB-V"});
  f.field("recompute", plan.recompute, recompute_words,
          {.doc = "activations computed again in the backward pass"});
  describe_recompute_method(f, plan);
  describe_recompute_operations(f, plan);
  describe_kept_in_fp8(f, plan.kept_in_fp8);
  describe_compression(f, plan);
  f.field("overlap_gradient_reduce", plan.overlap_gradient_reduce,
          {.doc = "gradients are reduced beside the backward pass, at zero_stage 3 too; the "
                  "framework's habit unless said"});
  f.field(
      "overlap_parameter_gather", plan.overlap_parameter_gather,
      {.doc = "parameters are gathered beside the forward pass, at zero_stage 3 beside both; the "
              "framework's habit unless said"});
  f.field("keep_gathered_inputs", plan.keep_gathered_inputs,
          {.doc = "gathered tensor-parallel inputs are kept for the backward pass"});
  describe_sharding_traffic(f, plan.sharding);
  describe_offload(f, plan.offload);
  describe_placement(f, plan);
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
  f.field("kernel_fusion", runtime.kernel_fusion,
          {.doc = "chains of elementwise kernels run as one; the framework's habit unless said"});
  f.field("expandable_segments", runtime.expandable_segments,
          {.doc = "PYTORCH_CUDA_ALLOC_CONF: the caching allocator's segments grow in place"});
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
  describe_optimizer(f, job.optimizer);
  f.object("fine_tuning", job.fine_tuning, {.doc = "only adapters are trained"});
  f.object("sparsity", job.sparsity, {.doc = "weights are trained under a mask"});
  f.field("optimizer_state_precision", job.optimizer_state_precision, precision_words,
          {.doc = "of moments and master weights, where it is not the recipe's"});
  f.field("moment_precision", job.moment_precision, precision_words,
          {.doc = "of the optimizer's moments alone, where it is not the state's"});
  f.field("gradient_precision", job.gradient_precision, precision_words,
          {.doc = "of kept gradients, where it is not the recipe's"});
  f.field(
      "vocab_padding", job.vocab_padding,
      {.at_least = 1, .doc = "vocabulary rows: a multiple of this; the framework's unless said"});
}

}  // namespace stepcast
