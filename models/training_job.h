// What is trained and how: the plan's degrees and switches, the batch, precision, kernels,
// framework.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/profile.h"
#include "models/transformer.h"
#include "topology/placement.h"

namespace stepcast {

enum class Schedule {
  GPipe,
  OneForwardOneBackward,
  Interleaved,
  ZeroBubble,   ///< ZB-H1
  ZeroBubbleV,  ///< ZB-V
  DualPipe
};
enum class Recompute { None, Selective, Full };
enum class RecomputeMethod { Uniform, Block, SquareRoot };
enum class GradientCompression { Fp16, Int8, OneBitAdam, PowerSgd };
enum class Precision { Fp32, Tf32, Fp16, Bf16, Fp8 };
enum class AttentionKernel { Unfused, Flash1, Flash2, Flash3 };
enum class Optimizer { AdamW, Adam, Adam8bit, Adafactor, SgdMomentum, Muon };
enum class FineTuningMethod { Lora, QLora };
enum class BasePrecision { Bf16, Int8, Nf4 };
enum class Framework {
  Megatron,
  MegatronDeepspeed,
  Deepspeed,
  Fsdp,
  Nanotron,
  Torchtitan,
  Internevo
};

/// What lives in the node's memory between its uses on the GPU.
struct Offload {
  bool optimizer = false;    ///< state and update (ZeRO-Offload)
  bool parameters = false;   ///< ZeRO-3's shards
  bool activations = false;  ///< what the forward pass keeps, layer by layer
  bool any() const { return optimizer || parameters || activations; }
};

/// Operations of a layer whose outputs selective recompute does not keep.
struct RecomputedOperations {
  bool attention_core = false;     ///< scores and their softmax
  bool norm = false;               ///< both norms, and those of latent attention
  bool activation = false;         ///< between an MLP's products
  bool mla_up_projection = false;  ///< latent attention's queries, keys and values, rotated
  bool mlp = false;                ///< of dense layers, as a whole
  bool experts = false;            ///< of layers with experts: router, exchanges and experts
  bool any() const {
    return attention_core || norm || activation || mla_up_projection || mlp || experts;
  }
};

/// What a job of fp8 stores in 8 bits beyond the inputs of its matrix products.
struct KeptInFp8 {
  bool activation_input = false;  ///< what an MLP's first product gives
  bool attention_output = false;  ///< one copy of 12 bits for attention and product
  bool any() const { return activation_input || attention_output; }
};

/// How ZeRO and FSDP cut their traffic; what is empty is the framework's habit.
struct ShardingTraffic {
  std::optional<Bytes> reduce_bucket;  ///< one reduction message
  std::optional<Bytes> gather_bucket;  ///< one gather message
  std::optional<int> prefetch_units;   ///< ZeRO-3: units gathered ahead of the one in use
  std::optional<int> gather_limit;     ///< ZeRO-3: units that may be gathered at one time
  bool reshard_after_forward = true;   ///< ZeRO-3: the backward pass gathers again
  bool quantized_gather = false;       ///< ZeRO-3: weights travel in 8 bits (ZeRO++'s qwZ)
};

/// How tokens get to the ranks of their experts.
enum class ExpertDispatch {
  AllToAll,     ///< one copy to each expert
  OncePerNode,  ///< one copy to each node, and from there by NVLink (DeepEP); fp8 jobs send 8 bits
};

struct ParallelPlan {
  int tensor_parallel = 1;
  int pipeline_parallel = 1;
  int virtual_pipeline = 1;  ///< model chunks per stage
  int data_parallel = 0;     ///< 0: what is left
  int context_parallel = 1;
  int expert_parallel = 1;
  int expert_tensor_parallel = 0;  ///< ranks that share an expert's matrices; 0: tensor_parallel
  std::optional<double>
      expert_capacity;  ///< rows of an expert over the mean, padded; absent: dropless
  double expert_load_imbalance = 1.0;  ///< dropless: the busiest rank's rows over the mean
  ExpertDispatch expert_dispatch = ExpertDispatch::AllToAll;
  bool overlap_shared_experts = false;  ///< with the exchange of the routed ones' tokens
  std::optional<ContextAlgorithm> context_parallel_algorithm;  ///< none at context_parallel 1
  bool sequence_parallel = false;
  int zero_stage = 0;
  int shard_group = 0;               ///< ranks that ZeRO-3 shards over; 0: all of data_parallel
  std::optional<Schedule> schedule;  ///< 1F1B; interleaved where virtual_pipeline > 1
  Recompute recompute = Recompute::None;
  std::optional<RecomputeMethod> recompute_method;  ///< of full recompute; none: layer by layer
  int recompute_num_layers = 1;                     ///< what uniform and block count
  RecomputedOperations recompute_operations;        ///< of selective recompute; none: the core
  KeptInFp8 kept_in_fp8;
  std::optional<GradientCompression> gradient_compression;
  int compression_rank = 4;                      ///< of powersgd
  std::optional<bool> overlap_gradient_reduce;   ///< beside backward passes, at ZeRO-3 too
  std::optional<bool> overlap_parameter_gather;  ///< beside forward passes; at ZeRO-3 beside both
  ShardingTraffic sharding;
  Offload offload;
  std::vector<int> layers_per_stage;       ///< empty: the framework's rule
  bool embedding_counts_as_layer = false;  ///< in the even split: the first chunk has one less
  bool loss_counts_as_layer = false;       ///< the chunk of the loss has one less
  std::string rank_order = "tp-cp-ep-dp-pp";
  std::optional<bool> keep_gathered_inputs;  ///< for the backward pass, under tensor_parallel
};

struct Batch {
  int global_batch = 0;     ///< sequences a step
  int micro_batch = 1;      ///< sequences a pipeline slot
  int sequence_length = 0;  ///< tokens
};

struct Runtime {
  bool torch_compile = false;
  std::optional<bool> kernel_fusion;  ///< elementwise chains in one kernel; the framework's habit
  bool launch_blocking = false;       ///< CUDA_LAUNCH_BLOCKING: the host waits for every kernel
  bool expandable_segments = false;   ///< PYTORCH_CUDA_ALLOC_CONF: of the caching allocator
};

/// Adapters are trained, all other weights are frozen.
struct FineTuning {
  FineTuningMethod method = FineTuningMethod::Lora;
  int rank = 16;
  std::array<bool, 4> targets{true, true, true, true};  ///< in the order of layer_matrices
  BasePrecision base_precision = BasePrecision::Bf16;   ///< of the frozen layers' matrices
};

enum class SparsityPattern {
  TwoOfFour,     ///< two of every four neighbours, which tensor cores know from Ampere on
  Unstructured,  ///< any
};

/// Linear layers' weights are trained under a mask.
struct Sparsity {
  SparsityPattern pattern = SparsityPattern::TwoOfFour;
  double density = 0.5;          ///< share of the weights that count
  int mask_update_interval = 1;  ///< steps from one choice of the mask to the next
};

struct TrainingJob {
  Transformer model;
  ParallelPlan plan;
  Batch batch;
  Precision precision = Precision::Bf16;
  AttentionKernel attention = AttentionKernel::Flash2;
  Framework framework = Framework::Megatron;
  Runtime runtime;
  std::optional<Precision> optimizer_state_precision;
  std::optional<Precision> moment_precision;  ///< of the optimizer's moments alone
  std::optional<Precision> gradient_precision;
  std::optional<int> vocab_padding;        ///< rows are padded to a multiple of this
  Optimizer optimizer = Optimizer::AdamW;  ///< adam costs the same
  std::optional<FineTuning> fine_tuning;
  std::optional<Sparsity> sparsity;
};

void describe(Fields& f, ParallelPlan& plan);
void describe(Fields& f, Batch& batch);
void describe(Fields& f, Runtime& runtime);
/// The job's keys beside `model`, which is a named part of the scenario.
void describe_settings(Fields& f, TrainingJob& job);

/// One reason why a plan does not fit its model, batch or cluster.
struct Violation {
  std::string key;      ///< the plan's or batch's key, as a JSON pointer ("/plan/tensor_parallel")
  std::string problem;  ///< one sentence with the numbers
  std::string hint;     ///< a way out, where there is one
  std::vector<std::string> details;  ///< further lines, such as the product spelt out
};

/// Fills what the scenario left open: data_parallel, schedule, overlaps (from the framework).
void complete(TrainingJob& job, int num_gpus, const FrameworkProfile& framework);

/// Everything that is wrong with a completed job on `num_gpus` GPUs; empty if it can run.
std::vector<Violation> violations(const TrainingJob& job, int num_gpus);

std::string_view word(Framework framework);
std::string_view word(Schedule schedule);
std::string_view word(Recompute recompute);
std::vector<std::string_view> words(const RecomputedOperations& operations);
std::string_view word(Precision precision);
std::string_view word(AttentionKernel attention);

/// "tp-cp-ep-dp-pp" in any order; empty where it is no permutation of the five.
std::optional<RankOrder> parse_rank_order(std::string_view text);
/// Requires a valid rank_order and degrees >= 1: a completed plan without violations.
RankGrid rank_grid(const ParallelPlan& plan);
/// Requires a completed job without violations.
int num_micro_batches(const TrainingJob& job);
/// Vocabulary rows as the framework pads them.
std::int64_t padded_vocab(const TrainingJob& job, const FrameworkProfile& framework);
/// Layers of each model chunk, [place along the model] (pipeline_schedule.h).
std::vector<int> layers_per_chunk(const TrainingJob& job, const FrameworkProfile& framework);
/// The place that holds the output layer and the loss: the last, unless layers are dealt by cost
/// (then the places after it are empty); and its pipeline stage (of the copy that runs down).
int head_place(const TrainingJob& job, const FrameworkProfile& framework);
int head_stage(const TrainingJob& job, const FrameworkProfile& framework);
/// Tokens that one rank works on in one micro-batch: micro_batch x sequence / context_parallel.
std::int64_t tokens_per_micro_batch(const TrainingJob& job);
/// Copies of the model in one pipeline: 2 under dual_pipe, else 1.
int model_copies(const ParallelPlan& plan);
/// Copies of a rank's routed experts: ranks that reduce their gradients together.
int expert_data_group_size(const ParallelPlan& plan);
/// Ranks with the same weights: data_parallel x context_parallel x copies.
int data_group_size(const ParallelPlan& plan);
double bytes_per_element(
    Precision precision);  ///< of weights and activations: 4, or 2 for 16 and 8 bits

}  // namespace stepcast
