// Every fitted constant with its spread: of a GPU's kernels, of NCCL on a kind of network, of a
// training framework. The numbers live in profile files beside what they were fitted to; this file
// says what they mean.
#pragma once

#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "base/units.h"
#include "models/collective_corrections.h"
#include "models/fitted.h"
#include "models/nccl_choice.h"

namespace stepcast {

class Fields;

/// Matrix products: the tiles of gemm.h.
struct GemmConstants {
  Fitted<double> peak_share;       ///< of the dense peak: endless waves of endless tiles
  Fitted<double> tile_loss;        ///< a0: a tile of a x 128 x 128 runs at a / (a + a0) of that
  Fitted<Seconds> wave;            ///< filling and draining of one wave of tiles
  Fitted<double> wave_rounding;    ///< q: share that is lost of what the last wave leaves idle
  Fitted<double> bandwidth_share;  ///< of the memory bandwidth
  Fitted<Seconds> launch;          ///< fixed part of one GEMM, and again of a split one
  Fitted<double> fp8_rate{1.0};    ///< share of the fp8 peak over the 16-bit share
  Fitted<double> weight_gradient_slowdown;  ///< time over a forward GEMM of the same shape
  Fitted<double> misaligned_slowdown;       ///< batched GEMMs whose head size is no multiple of 8
};

struct AttentionConstants {
  Fitted<double> flash_peak_share;       ///< FlashAttention-2 forward, long sequences
  Fitted<double> flash_backward_rate;    ///< backward rate over forward rate
  Fitted<double> flash_sequence_offset;  ///< s0, tokens: rate ~ seen / (seen + s0)
  Fitted<double> flash_head_offset;      ///< e0: rate ~ e / (e + e0), shares above at heads of 128
  Fitted<double> flash1_rate;            ///< FlashAttention-1 rate over FlashAttention-2's
  Fitted<double> flash3_rate;            ///< FlashAttention-3 rate over FlashAttention-2's (Hopper)
  Fitted<double> unfused_softmax_slowdown;  ///< traffic of softmax, mask and dropout over its ideal
};

struct MemoryBoundConstants {
  Fitted<double> bandwidth_share;  ///< of the peak, large fused elementwise kernels
  Fitted<Seconds> kernel_floor;    ///< the shortest a kernel takes
};

/// One GPU type. Kernel forms: kernels.h.
struct GpuProfile {
  std::string name;
  GemmConstants gemm;
  AttentionConstants attention;
  MemoryBoundConstants memory_bound;
  Fitted<double> sustained_clock;     ///< factor on GEMM and attention rates: what training reaches
                                      ///< beside short kernel loops, under the power limit
  Fitted<double> kernel_time_spread;  ///< one GPU's compute time beside the mean GPU's, relative
};

/// NCCL on a kind of network. Forms: collectives.h.
struct NetworkProfile {
  std::string name;
  std::string nccl_version;       ///< whose constants hold, as "2.18"; empty: by GPU
  Fitted<double> latency_factor;  ///< on the tuner's latencies of groups that cross the network
  Fitted<double> intra_latency_factor;  ///< on those of groups inside a node
  Fitted<double> bandwidth_factor;      ///< on the bandwidths of groups that cross the network
  Fitted<double> intra_bandwidth_factor{1.0, 0.06};  ///< on those of groups inside a node
  Fitted<Seconds> launch;                            ///< added to each collective
  /// From one GPU's kernel to the next where one process launches on all of a node: nccl-tests with
  /// several GPUs a process.
  Fitted<Seconds> shared_launch;
  Fitted<double> step_time_jitter;    ///< further spread of a step per square root of the nodes
  bool ll128 = true;                  ///< whether LL128 may cross this network
  CollectiveCorrections inside_node;  ///< what calibration found beyond these factors
  CollectiveCorrections across_nodes;
  /// What one CPU thread moves over TCP sockets; 0: the network needs none.
  Fitted<BytesPerSecond> socket_thread{};
  NcclChoice nccl;  ///< what the scenario forces; no constant
};

/// Times of the host thread that launches kernels.
struct HostConstants {
  Fitted<Seconds> layer_forward;      ///< launching one layer's forward pass for one micro-batch
  Fitted<Seconds> layer_backward;     ///< launching its backward pass
  Fitted<Seconds> tensor_collective;  ///< each tensor-parallel collective, at 2 ranks
  Fitted<double> tensor_rank_growth;  ///< further share of it per further rank
  bool waits_for_tensor_collectives = false;   ///< launches stop while one is under way
  Fitted<Seconds> slow_tensor_collective;      ///< empirical: what a tensor collective takes at
                                               ///< least per rank while stages talk over EFA
  Fitted<double> slow_crossing_factor;         ///< on that where its group crosses EFA nodes
  Fitted<Seconds> crossing_tensor_collective;  ///< empirical: what one of such a group takes longer
                                               ///< per rank without a pipeline; both 0: none
  Fitted<double> blocking_factor;  ///< host time under launch_blocking over the usual one
  Fitted<double> compiled_factor;  ///< on host time under torch.compile
  Fitted<Seconds> micro_batch;     ///< once a micro-batch and stage
  Fitted<Seconds> step;            ///< once a step: data, logging, scaler
};

/// Which kernels a framework launches, and how many bytes they move.
struct KernelHabits {
  bool fused_elementwise = true;  ///< bias-GeLU, bias-dropout-residual and masked softmax fused
  Fitted<double> elementwise_traffic;   ///< bytes of elementwise kernels over the fused count
  Fitted<double> compiled_elementwise;  ///< factor on elementwise time under torch.compile
  Fitted<double> logit_traffic;         ///< bytes that loss and its gradient move per logit
  Fitted<double> optimizer_traffic;     ///< bytes moved per parameter by the optimizer step
  Fitted<double> accumulation_traffic;  ///< bytes per parameter to add a micro-batch's gradient
  Fitted<double> eager_chain_traffic;   ///< bytes of RMSNorm, rotary and gate written as chains of
                                        ///< kernels, over the chains' count; 0: fused kernels
  bool flash2_was_flash1 = false;  ///< runs of this framework that say flash2 ran FlashAttention 1,
                                   ///< but for compiled ones
  bool recompute_stops_early = false;  ///< a checkpoint is recomputed up to its last saved tensor:
                                       ///< without the layer's last product
  double selective_recompute_layers = 0;  ///< share of layers that "selective" computes again as a
                                          ///< whole (FSDP's habit); 0: every layer's attention core
};

/// How ranks that share sequences get to see each other's keys and values.
enum class ContextAlgorithm {
  Ring,       ///< blocks of keys and values pass round beside the attention of the block before
  AllGather,  ///< all keys and values first
  AllToAll,   ///< Ulysses: sequences are exchanged for heads, and back
};

struct CommunicationHabits {
  bool overlap_gradient_reduce = false;    ///< default of the plan's key
  bool overlap_parameter_gather = false;   ///< default of the plan's key
  bool overlap_pipeline_messages = false;  ///< sends of 1F1B run beside compute
  bool scatter_pipeline_messages = false;  ///< each tensor rank sends its part of a message
  bool zero3_overlap = true;               ///< ZeRO-3 gathers and reductions run beside compute
  int zero3_collectives_per_layer = 1;     ///< messages that one layer's parameters are gathered in
  bool zero3_reduce_each_micro_batch = true;  ///< gradients are reduce-scattered each time
  Fitted<double> overlap_slowdown;  ///< compute time that overlaps communication, relative increase
  ContextAlgorithm context_parallel_algorithm = ContextAlgorithm::Ring;  ///< default of the plan's
  Bytes gradient_bucket;                ///< size of one reduction message; 0: all at once
  int gathered_matrices_per_layer = 0;  ///< messages in which ZeRO 1 and 2 gather a layer's updated
                                        ///< parameters; 0: buckets of that size too
};

/// Bytes per parameter in 16-bit training.
struct PrecisionRecipe {
  double gradient_bytes_fp16 = 2;  ///< main gradient as kept
  double gradient_bytes_bf16 = 4;
  double gradient_reduce_bytes_fp16 = 2;  ///< as sent
  double gradient_reduce_bytes_bf16 = 4;
  double optimizer_gradient_bytes = 0;    ///< a gradient copy kept with the optimizer state
  double bucket_bytes_per_parameter = 0;  ///< gradient buckets of the reducer while data parallel
  bool master_is_weight = false;  ///< 16-bit weights live only while in use, fp32 is kept (FSDP)
  bool keeps_both_gradients = false;  ///< of gradients kept in fp32, ZeRO 0 and 1: a micro-batch's
                                      ///< 16-bit ones stay beside, and the optimizer reads the sums
                                      ///< where they are (DeepSpeed's BF16_Optimizer)
  Fitted<double> keeps_fp32_unsaid{};  ///< likelihood that a bf16 job which does not say keeps them
                                       ///< so: releases differ
};

/// Empirical: of layouts that say nothing of gathered inputs some keep them and some do not. They
/// keep them with a likelihood of 1 / (1 + (F / time (GPUs / 8)^gpus_power)^power), F the time that
/// the first stage spends on the forward passes that it holds at once. time 0: they never differ.
struct HeldInputs {
  Fitted<Seconds> time;
  Fitted<double> power;
  Fitted<double> gpus_power;
};

/// Activation bytes per token of a layer without recompute, per hidden and ffn element: a_h is
/// divided by tensor_parallel with sequence parallelism or flash attention, a_f always, a_g (inputs
/// kept gathered) never.
struct MemoryHabits {
  Fitted<double> activation_bytes_hidden;    ///< a_h
  Fitted<double> activation_bytes_ffn;       ///< a_f
  Fitted<double> activation_bytes_gathered;  ///< a_g
  bool weighs_inside_experts = false;        ///< the router's weights meet the experts' activation:
                                             ///< rows that come back are not kept for them
  bool keeps_gathered_inputs = false;        ///< whether a_g counts; the plan's key overrides
  HeldInputs held_inputs;                    ///< where that differs from run to run
  Fitted<double> weight_gradient_bytes;      ///< per element of a layer's largest matrix, while its
                                             ///< gradient is computed and added
  Fitted<double> logit_bytes;                ///< bytes alive per logit at the peak
  Fitted<double> logit_bytes_previous;       ///< further ones of the previous micro-batch
  Fitted<Bytes> workspace;                   ///< cuBLAS and other fixed workspaces
  Fitted<Bytes> context;                     ///< CUDA context and libraries outside the allocator
  Fitted<double> communicator_sets{1.0};  ///< times that the plan's groups have a communicator of
                                          ///< NCCL: layers of a framework make their own
  Fitted<double> spread;  ///< relative error of a predicted peak; no spread of its own
};

/// Empirical: in some runs of a pipeline over EFA nodes every message between stages holds both its
/// ends for a fixed time, cause unknown (stalls.h).
struct StallTrait {
  Fitted<Seconds> message_time;  ///< 0: no run stalls
  Fitted<double> base_chance;    ///< that a run on few nodes stalls
  Fitted<double> nodes;          ///< on this many nearly two runs in three would, but for the base
  int certain_tensor_nodes = std::numeric_limits<int>::max();  ///< a tensor group on so many nodes
                                                               ///< always stalls
};

enum class LayerSplit {
  Even,    ///< layers dealt evenly; what does not divide goes to the middle stages (Megatron)
  ByCost,  ///< blocks dealt by parameters, the loss counted as one block (nanotron)
};

/// What a framework does besides the arithmetic.
struct FrameworkProfile {
  std::string name;
  HostConstants host;
  KernelHabits kernels;
  CommunicationHabits communication;
  PrecisionRecipe recipe;
  MemoryHabits memory;
  LayerSplit layer_split = LayerSplit::Even;
  int vocab_padding = 128;          ///< rows: a multiple of this x tensor_parallel
  Fitted<double> step_time_spread;  ///< of a measured step beside the predicted one, relative:
                                    ///< noise of the run and of the model's form, on few nodes
  StallTrait stalls;
};

struct Profile {
  GpuProfile gpu;
  NetworkProfile network;
  FrameworkProfile framework;
};

/// The words of an enumerator that profiles and plans both name.
inline constexpr std::array<std::pair<ContextAlgorithm, std::string_view>, 3>
    kContextAlgorithmWords{{
        {ContextAlgorithm::Ring, "ring"},
        {ContextAlgorithm::AllGather, "all_gather"},
        {ContextAlgorithm::AllToAll, "all_to_all"},
    }};

void describe(Fields& f, GpuProfile& profile);
void describe(Fields& f, NetworkProfile& profile);
void describe(Fields& f, FrameworkProfile& profile);

}  // namespace stepcast
