#include "tests/support/small_steps.h"

#include <array>

namespace stepcast::test {
namespace {

GpuProfile plain_gpu_profile() {
  GpuProfile gpu;
  gpu.gemm.peak_share.value = 0.8;
  gpu.gemm.bandwidth_share.value = 0.75;
  gpu.gemm.tile_loss.value = 0.1;
  gpu.gemm.wave.value = 2_us;
  gpu.gemm.wave_rounding.value = 0.5;
  gpu.gemm.launch.value = 5_us;
  gpu.gemm.weight_gradient_slowdown.value = 1.05;
  gpu.gemm.misaligned_slowdown.value = 4;
  gpu.sustained_clock.value = 1;
  gpu.attention.flash_peak_share.value = 0.5;
  gpu.attention.flash_backward_rate.value = 0.8;
  gpu.attention.flash_sequence_offset.value = 200;
  gpu.attention.flash1_rate.value = 0.6;
  gpu.attention.flash3_rate.value = 1;
  gpu.memory_bound.bandwidth_share.value = 0.8;
  gpu.attention.unfused_softmax_slowdown.value = 1.3;
  gpu.memory_bound.kernel_floor.value = 3_us;
  gpu.kernel_time_spread.value = 0.01;
  return gpu;
}

FrameworkProfile plain_framework() {
  FrameworkProfile framework;
  framework.kernels.elementwise_traffic.value = 1;
  framework.kernels.compiled_elementwise.value = 0.6;
  framework.host.compiled_factor.value = 0.6;
  framework.host.blocking_factor.value = 3;
  framework.kernels.logit_traffic.value = 24;
  framework.kernels.optimizer_traffic.value = 34;
  framework.kernels.accumulation_traffic.value = 8;
  framework.communication.gradient_bucket = 20_MB;
  framework.vocab_padding = 128;
  framework.memory.activation_bytes_hidden.value = 18;
  framework.memory.activation_bytes_ffn.value = 6;
  framework.memory.logit_bytes.value = 6;
  return framework;
}

}  // namespace

Profile plain_profile() {
  Profile profile;
  profile.gpu = plain_gpu_profile();
  profile.network.nccl_version = "2.18";
  profile.network.latency_factor.value = 1;
  profile.network.intra_latency_factor.value = 1;
  profile.network.bandwidth_factor.value = 1;
  profile.framework = plain_framework();
  return profile;
}

Device plain_device() {
  GpuSpec gpu;
  gpu.memory = 80_GB;
  gpu.memory_bandwidth = 2000_GB_per_s;
  gpu.multiprocessors = 108;
  gpu.fp32 = 20_TFLOP_per_s;
  gpu.tf32 = 150_TFLOP_per_s;
  gpu.fp16 = 300_TFLOP_per_s;
  gpu.fp8 = 300_TFLOP_per_s;
  return {gpu, plain_gpu_profile()};
}

ClusterSpec small_cluster(int nodes, int gpus, int nics) {
  ClusterSpec spec;
  spec.node.gpu = plain_device().gpu;
  spec.node.gpus = gpus;
  spec.node.nvlink_bandwidth = 240_GB_per_s;
  spec.node.pcie_bandwidth = 24_GB_per_s;
  spec.node.gpus_per_pcie_switch = 1;
  spec.node.pcie_switch_bandwidth = 24_GB_per_s;
  spec.node.sockets = 2;
  spec.node.socket_bandwidth = 60_GB_per_s;
  spec.node.host_memory = 1000_GB;
  spec.node.host_memory_bandwidth = 300_GB_per_s;
  spec.nodes = nodes;
  spec.fabric.nics_per_node = nics;
  spec.fabric.nic_bandwidth = 25_GB_per_s;
  spec.fabric.nodes_per_leaf = 4;
  return spec;
}

Transformer small_model() {
  Transformer model;
  model.num_layers = 8;
  model.hidden_size = 1024;
  model.num_attention_heads = 16;
  model.num_query_groups = 16;
  model.head_size = 64;
  model.ffn_hidden_size = 4096;
  model.vocab_size = 32000;
  return model;
}

TrainingJob small_job(const PlanShape& shape) {
  TrainingJob job;
  job.model = small_model();
  job.plan.tensor_parallel = shape.tensor;
  job.plan.pipeline_parallel = shape.pipeline;
  job.plan.data_parallel = shape.data;
  job.batch = {
      .global_batch = shape.data * shape.micro_batches, .micro_batch = 1, .sequence_length = 512};
  complete(job, shape.tensor * shape.pipeline * shape.data, plain_framework());
  return job;
}

Step::Step(const TrainingJob& job, const ClusterSpec& spec, const Profile& with)
    : cluster(spec),
      profile(with),
      placement(place_ranks(rank_grid(job.plan), cluster)),
      program(training_step(job, profile, {spec.node.gpu, profile.gpu}, placement, cluster)) {}

Placement all_in_order(const Cluster& cluster) {
  std::array<int, kNumAxes> degrees;
  degrees.fill(1);
  degrees[static_cast<std::size_t>(Axis::Data)] = cluster.num_gpus();
  return place_ranks(RankGrid(degrees, kMegatronOrder), cluster);
}

}  // namespace stepcast::test
