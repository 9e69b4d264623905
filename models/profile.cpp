// Reads and writes the fitted constants of a profile. Every constant is required: a missing one
// must not quietly be zero. Switches and whole numbers have the defaults that profile.h shows.
#include "models/profile.h"

#include <array>
#include <string_view>
#include <utility>

#include "base/fields.h"
#include "models/fitted_fields.h"
#include "models/nccl_tables.h"

namespace stepcast {
namespace {

constexpr std::array<std::pair<LayerSplit, std::string_view>, 2> layer_splits{{
    {LayerSplit::Even, "even"},
    {LayerSplit::ByCost, "by_cost"},
}};

void describe(Fields& f, GemmConstants& gemm) {
  fitted(f, "peak_share", gemm.peak_share, "large GEMMs, of the dense peak");
  fitted(f, "tile_loss", gemm.tile_loss,
         "a0: a tile of a x 128 x 128 elements runs at a / (a + a0) of that share");
  fitted(f, "wave", gemm.wave, "filling and draining of one wave of tiles");
  fitted(f, "wave_rounding", gemm.wave_rounding,
         "share that is lost of what the last wave leaves idle");
  fitted(f, "bandwidth_share", gemm.bandwidth_share, "thin GEMMs, of the memory bandwidth");
  fitted(f, "launch", gemm.launch, "fixed part of one GEMM, and again of a split one");
  fitted(f, "fp8_rate", gemm.fp8_rate, "share of the fp8 peak over the 16-bit share",
         Presence::Optional);
  fitted(f, "weight_gradient_slowdown", gemm.weight_gradient_slowdown,
         "time of a weight gradient over a forward GEMM of the same shape");
  fitted(f, "misaligned_slowdown", gemm.misaligned_slowdown,
         "batched GEMMs whose head size is no multiple of 8");
}

void describe(Fields& f, AttentionConstants& attention) {
  fitted(f, "flash_peak_share", attention.flash_peak_share,
         "FlashAttention-2 forward, long sequences, of the dense peak");
  fitted(f, "flash_backward_rate", attention.flash_backward_rate,
         "backward rate over forward rate");
  fitted(f, "flash_sequence_offset", attention.flash_sequence_offset,
         "s0 of rate ~ seen / (seen + s0), tokens");
  fitted(f, "flash_head_offset", attention.flash_head_offset,
         "e0 of rate ~ e / (e + e0), e the head size; 128 reaches the shares above");
  fitted(f, "flash1_rate", attention.flash1_rate,
         "FlashAttention-1's rate over FlashAttention-2's");
  fitted(f, "flash3_rate", attention.flash3_rate,
         "FlashAttention-3's rate over FlashAttention-2's");
  fitted(f, "unfused_softmax_slowdown", attention.unfused_softmax_slowdown,
         "traffic of softmax, mask and dropout over its ideal");
}

void describe(Fields& f, MemoryBoundConstants& memory_bound) {
  fitted(f, "bandwidth_share", memory_bound.bandwidth_share,
         "large elementwise kernels, of the memory bandwidth");
  fitted(f, "kernel_floor", memory_bound.kernel_floor, "the shortest a kernel takes");
}

void describe(Fields& f, HostConstants& host) {
  fitted(f, "layer_forward", host.layer_forward, "launching one layer's forward pass");
  fitted(f, "layer_backward", host.layer_backward, "launching one layer's backward pass");
  fitted(f, "tensor_collective", host.tensor_collective,
         "launching one tensor-parallel collective of 2 ranks");
  fitted(f, "tensor_rank_growth", host.tensor_rank_growth, "further share of it per further rank");
  f.field("waits_for_tensor_collectives", host.waits_for_tensor_collectives,
          {.doc = "launches stop while a tensor-parallel collective is under way"});
  fitted(f, "slow_tensor_collective", host.slow_tensor_collective,
         "empirical: least time of a tensor collective per rank, pipelines over EFA only",
         Presence::Optional);
  fitted(f, "slow_crossing_factor", host.slow_crossing_factor,
         "empirical: on slow_tensor_collective for groups across EFA nodes", Presence::Optional);
  fitted(f, "crossing_tensor_collective", host.crossing_tensor_collective,
         "empirical: what a tensor collective takes longer per rank, groups across EFA nodes",
         Presence::Optional);
  fitted(f, "blocking_factor", host.blocking_factor,
         "host time under launch_blocking over the asynchronous one");
  fitted(f, "compiled_factor", host.compiled_factor, "factor on host time under torch.compile");
  fitted(f, "micro_batch", host.micro_batch, "once a micro-batch and stage");
  fitted(f, "step", host.step, "once a step");
}

void describe(Fields& f, KernelHabits& kernels) {
  f.field("fused_elementwise", kernels.fused_elementwise,
          {.doc = "bias-GeLU, bias-dropout-residual and masked softmax are single kernels"});
  fitted(f, "elementwise_traffic", kernels.elementwise_traffic,
         "bytes of elementwise kernels over the fused count");
  fitted(f, "compiled_elementwise", kernels.compiled_elementwise,
         "factor on elementwise time under torch.compile");
  fitted(f, "logit_traffic", kernels.logit_traffic,
         "bytes that loss and its gradient move per logit");
  fitted(f, "optimizer_traffic", kernels.optimizer_traffic,
         "bytes the optimizer moves per parameter");
  fitted(f, "accumulation_traffic", kernels.accumulation_traffic,
         "bytes that gradient accumulation moves per parameter and micro-batch");
  fitted(f, "eager_chain_traffic", kernels.eager_chain_traffic,
         "bytes of RMSNorm, rotary and gate as chains of kernels over the chains' count; 0: fused",
         Presence::Optional);
  f.field("flash2_was_flash1", kernels.flash2_was_flash1,
          {.doc = "runs that say flash2 ran FlashAttention 1, but for compiled ones"});
  f.field("recompute_stops_early", kernels.recompute_stops_early,
          {.doc = "recompute leaves out a layer's last product (torch.utils.checkpoint, 2.1 on)"});
  f.field("selective_recompute_layers", kernels.selective_recompute_layers,
          {.at_least = 0,
           .at_most = 1,
           .doc = "share of layers that selective recompute repeats whole; 0: attention cores"});
}

void describe(Fields& f, CommunicationHabits& habits) {
  f.field("overlap_gradient_reduce", habits.overlap_gradient_reduce, {.doc = "the plan's default"});
  f.field("overlap_parameter_gather", habits.overlap_parameter_gather,
          {.doc = "the plan's default"});
  f.field("overlap_pipeline_messages", habits.overlap_pipeline_messages,
          {.doc = "pipeline messages run beside compute"});
  f.field("scatter_pipeline_messages", habits.scatter_pipeline_messages,
          {.doc = "each tensor-parallel rank sends its part of a pipeline message"});
  f.field("context_parallel_algorithm", habits.context_parallel_algorithm, kContextAlgorithmWords,
          {.doc = "default of the plan's key; ring unless said"});
  f.field("zero3_overlap", habits.zero3_overlap, {.doc = "ZeRO-3 messages run beside compute"});
  f.field("zero3_collectives_per_layer", habits.zero3_collectives_per_layer,
          {.at_least = 1, .doc = "messages that one layer's parameters are gathered in"});
  f.field("zero3_reduce_each_micro_batch", habits.zero3_reduce_each_micro_batch,
          {.doc = "gradients are reduce-scattered after every micro-batch"});
  fitted(f, "overlap_slowdown", habits.overlap_slowdown,
         "relative increase of compute time that overlaps communication");
  f.field("gradient_bucket", habits.gradient_bucket,
          {.at_least = 0, .doc = "size of one reduction message; 0: all at once"});
  f.field(
      "gathered_matrices_per_layer", habits.gathered_matrices_per_layer,
      {.at_least = 0,
       .doc = "messages in which ZeRO 1 and 2 gather a layer's updated parameters; 0: buckets"});
}

void describe(Fields& f, PrecisionRecipe& recipe) {
  f.field("gradient_bytes_fp16", recipe.gradient_bytes_fp16,
          {.at_least = 0, .doc = "bytes per parameter of the gradient as kept, fp16 training"});
  f.field("gradient_bytes_bf16", recipe.gradient_bytes_bf16,
          {.at_least = 0, .doc = "bytes per parameter of the gradient as kept, bf16 training"});
  f.field("gradient_reduce_bytes_fp16", recipe.gradient_reduce_bytes_fp16,
          {.at_least = 0, .doc = "bytes per parameter of the gradient as sent, fp16 training"});
  f.field("gradient_reduce_bytes_bf16", recipe.gradient_reduce_bytes_bf16,
          {.at_least = 0, .doc = "bytes per parameter of the gradient as sent, bf16 training"});
  f.field(
      "optimizer_gradient_bytes", recipe.optimizer_gradient_bytes,
      {.at_least = 0, .doc = "bytes per parameter of a gradient copy beside the optimizer state"});
  f.field("bucket_bytes_per_parameter", recipe.bucket_bytes_per_parameter,
          {.at_least = 0, .doc = "gradient buckets of the reducer while data parallel"});
  f.field("master_is_weight", recipe.master_is_weight,
          {.doc = "fp32 weights are the master copy, 16-bit ones live only while in use"});
  f.field("keeps_both_gradients", recipe.keeps_both_gradients,
          {.doc = "16-bit gradients stay beside those kept in fp32, ZeRO 0 and 1"});
  fitted(f, "keeps_fp32_unsaid", recipe.keeps_fp32_unsaid,
         "likelihood of fp32 gradients in a bf16 job that does not say", Presence::Optional);
}

void describe(Fields& f, MemoryHabits& habits) {
  fitted(f, "activation_bytes_hidden", habits.activation_bytes_hidden,
         "activation bytes per token, layer and hidden element");
  fitted(f, "activation_bytes_ffn", habits.activation_bytes_ffn,
         "activation bytes per token, layer and MLP element");
  fitted(f, "activation_bytes_gathered", habits.activation_bytes_gathered,
         "those of gathered inputs, which tensor parallelism does not divide");
  f.field(
      "weighs_inside_experts", habits.weighs_inside_experts,
      {.doc = "the router's weights meet the experts' activation, not the rows that come back"});
  f.field("keeps_gathered_inputs", habits.keeps_gathered_inputs,
          {.doc = "gathered tensor-parallel inputs are kept for the backward pass"});
  f.object("held_inputs",
           [&habits](Fields& g) {
             fitted(g, "time", habits.held_inputs.time, "held every other time, on 8 GPUs");
             fitted(g, "power", habits.held_inputs.power, "how sharp the change is");
             fitted(g, "gpus_power", habits.held_inputs.gpus_power, "how it moves with GPUs / 8");
           },
           {.doc = "empirical: how likely gathered inputs are kept, by the forward passes' time"});
  fitted(f, "weight_gradient_bytes", habits.weight_gradient_bytes,
         "temporaries per element of a layer's largest matrix, while its gradient is added");
  fitted(f, "logit_bytes", habits.logit_bytes, "bytes alive per logit at the peak");
  fitted(f, "logit_bytes_previous", habits.logit_bytes_previous,
         "further ones of the previous micro-batch");
  fitted(f, "workspace", habits.workspace, "cuBLAS and other fixed workspaces");
  fitted(f, "context", habits.context, "CUDA context and libraries: outside the allocator");
  fitted(f, "communicator_sets", habits.communicator_sets,
         "communicators of NCCL for each group of the plan", Presence::Optional);
  fitted(f, "spread", habits.spread, "relative error of a predicted peak");
}

void describe(Fields& f, StallTrait& stalls) {
  fitted(f, "message_time", stalls.message_time,
         "for which a message between stages holds its sender and its receiver");
  fitted(f, "base_chance", stalls.base_chance, "that a run on few nodes stalls");
  fitted(f, "nodes", stalls.nodes, "n0 of the chance 1 - (1 - base_chance) exp(-(nodes / n0)^3)");
  f.field("certain_tensor_nodes", stalls.certain_tensor_nodes,
          {.at_least = 2, .doc = "runs whose tensor groups lie on so many nodes always stall"});
}

/// A nested object of constants that all belong to one cause; its keys are required.
template <class Constants>
void group(Fields& f, std::string_view key, Constants& constants, std::string_view doc) {
  f.object(key, [&](Fields& g) { describe(g, constants); },
           {.presence = Presence::Required, .doc = doc});
}

}  // namespace

void describe(Fields& f, GpuProfile& profile) {
  group(f, "gemm", profile.gemm, "matrix products");
  group(f, "attention", profile.attention, "fused and unfused attention");
  group(f, "memory_bound", profile.memory_bound, "elementwise kernels");
  fitted(f, "sustained_clock", profile.sustained_clock,
         "rate of GEMMs and attention in training over short kernel loops");
  fitted(f, "kernel_time_spread", profile.kernel_time_spread,
         "one GPU's compute time beside the mean GPU's, relative");
}

void describe(Fields& f, NetworkProfile& profile) {
  f.field("nccl_version", profile.nccl_version,
          {.doc = "release whose constants hold, as 2.18; empty: by the GPU's time"});
  if (!knows_nccl_release(profile.nccl_version)) {
    f.fault("nccl_version", "no constants of NCCL \"" + profile.nccl_version + "\"",
            "such as \"2.18\"; the nearest known release at or below it is taken");
  }
  fitted(f, "latency_factor", profile.latency_factor,
         "on the tuner's latencies of groups that cross the network");
  fitted(f, "intra_latency_factor", profile.intra_latency_factor,
         "on the tuner's latencies of groups inside a node");
  fitted(f, "bandwidth_factor", profile.bandwidth_factor,
         "on the tuner's bandwidths of groups that cross the network");
  fitted(f, "intra_bandwidth_factor", profile.intra_bandwidth_factor,
         "on the tuner's bandwidths of groups inside a node", Presence::Optional);
  fitted(f, "launch", profile.launch, "added to each collective");
  fitted(f, "shared_launch", profile.shared_launch,
         "between the launches on two GPUs where one process drives all of a node");
  fitted(f, "step_time_jitter", profile.step_time_jitter,
         "further relative spread of a measured step per square root of the nodes",
         Presence::Optional);
  f.field("ll128", profile.ll128, {.doc = "whether protocol LL128 may cross this network"});
  fitted(f, "socket_thread", profile.socket_thread,
         "what one CPU thread moves over TCP sockets; 0: none is needed", Presence::Optional);
  f.object("inside_node", [&](Fields& g) { describe(g, profile.inside_node); },
           {.doc = "corrections of groups inside a node"});
  f.object("across_nodes", [&](Fields& g) { describe(g, profile.across_nodes); },
           {.doc = "corrections of groups that cross the network"});
}

void describe(Fields& f, FrameworkProfile& profile) {
  group(f, "host", profile.host, "the thread that launches kernels");
  group(f, "kernels", profile.kernels, "which kernels run and what they move");
  group(f, "communication", profile.communication, "what is sent when, and what overlaps");
  group(f, "recipe", profile.recipe, "bytes per parameter in 16-bit training");
  group(f, "memory", profile.memory, "bytes alive on a GPU");
  f.field("layer_split", profile.layer_split, layer_splits,
          {.doc = "how layers are dealt to pipeline stages"});
  f.field("vocab_padding", profile.vocab_padding,
          {.at_least = 1, .doc = "vocabulary rows: a multiple of this x tensor_parallel"});
  fitted(f, "step_time_spread", profile.step_time_spread,
         "of a measured step beside the predicted one, relative, on few nodes");
  f.object("stalls", [&](Fields& g) { describe(g, profile.stalls); },
           {.doc = "empirical: runs that stand still, pipelines over EFA only"});
}

}  // namespace stepcast
