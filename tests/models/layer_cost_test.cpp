#include "models/layer_cost.h"

#include <catch2/catch.hpp>

#include "models/gemm.h"
#include "tests/support/small_steps.h"

using namespace stepcast;

namespace {

// 4,096 tokens of width 1,024 and a gate of 4,096: large enough that bandwidth, not the floor of a
// kernel, gives elementwise times.
struct Layer {
  TrainingJob job;
  FrameworkProfile framework;
  Device device = test::plain_device();

  Layer() {
    Transformer& model = job.model;
    model.num_layers = 2;
    model.hidden_size = 1024;
    model.num_attention_heads = model.num_query_groups = 8;
    model.head_size = 128;
    model.ffn_hidden_size = 4096;
    model.vocab_size = 1024;
    model.gated_mlp = true;
    job.batch = {.global_batch = 1, .micro_batch = 1, .sequence_length = 4096};
    job.attention = AttentionKernel::Flash2;
    framework.kernels.elementwise_traffic.value = 1;
    framework.kernels.compiled_elementwise.value = 1;
  }
  LayerCost cost() const { return layer_cost({job, framework, device}); }
};

Seconds moved(double bytes, const Device& device) {
  return Bytes(bytes) /
         (device.profile.memory_bound.bandwidth_share.value * device.gpu.memory_bandwidth);
}

bool close(Seconds a, Seconds b) { return std::abs(a / b - 1.0) < 1e-9; }

}  // namespace

TEST_CASE("eager chains move what their kernels read and write", "[models]") {
  Layer layer;
  const LayerCost fused = layer.cost();
  layer.framework.kernels.eager_chain_traffic.value = 1;
  const LayerCost eager = layer.cost();
  // Forward, bytes more: two norms 2 (36 - 4), rotation of query and key 2 (20 - 4) an element of
  // 4096 x 1024, the gate (10 - 6) an element of 4096 x 4096. Backward 2 (76 - 8), 2 x 16, 18 - 10.
  const double hidden = 4096.0 * 1024;
  const double gate = 4096.0 * 4096;
  REQUIRE(close(eager.forward.sum() - fused.forward.sum(),
                moved(hidden * (64 + 32) + gate * 4, layer.device)));
  REQUIRE(close(eager.backward.sum() - fused.backward.sum(),
                moved(hidden * (136 + 32) + gate * 8, layer.device)));
}

TEST_CASE("a framework's flash2 may have been version 1, but not in compiled runs", "[models]") {
  Layer layer;
  layer.device.profile.attention.flash1_rate.value = 0.5;
  const LayerCost second = layer.cost();
  layer.framework.kernels.flash2_was_flash1 = true;
  const LayerCost first = layer.cost();
  layer.job.attention = AttentionKernel::Flash1;
  REQUIRE(first.forward.sum() == layer.cost().forward.sum());
  REQUIRE(first.backward.sum() > second.backward.sum());
  layer.job.attention = AttentionKernel::Flash2;
  layer.job.runtime.torch_compile = true;
  REQUIRE(close(layer.cost().forward.sum(), second.forward.sum()));
}

TEST_CASE("compiled or with LayerNorm there are no chains", "[models]") {
  Layer layer;
  const Seconds fused = layer.cost().forward.sum();
  layer.framework.kernels.eager_chain_traffic.value = 1;
  layer.job.runtime.torch_compile = true;
  REQUIRE(layer.cost().forward.sum() == fused);
  layer.job.runtime.torch_compile = false;
  layer.job.model.linear_bias = true;
  REQUIRE(layer.cost().forward.sum() == fused);
}

TEST_CASE("a checkpoint that stops early leaves out the last product and its residual",
          "[models]") {
  Layer layer;
  layer.job.plan.recompute = Recompute::Full;
  const LayerCost whole = layer.cost();
  REQUIRE(whole.recomputed.sum() == whole.forward.sum());
  layer.framework.kernels.recompute_stops_early = true;
  const LayerCost early = layer.cost();
  const Seconds product = gemm_time({.m = 4096, .n = 1024, .k = 4096}, GemmPass::Forward,
                                    layer.job.precision, layer.device);
  REQUIRE(close(whole.recomputed.sum() - early.recomputed.sum(),
                product + moved(6 * 4096.0 * 1024, layer.device)));
  REQUIRE(early.recomputed.attention == whole.recomputed.attention);
}

TEST_CASE("fp8 casts the input of every product and the gradient of its output", "[models]") {
  Layer layer;
  const LayerCost plain = layer.cost();
  layer.job.precision = Precision::Fp8;
  const LayerCost fp8 = layer.cost();
  struct Product {
    std::int64_t outputs, inputs;
  };
  Seconds forward, backward;
  // Query, key and value; the heads' output; gate and up; down. Read in 2 bytes, written in
  // twice 1.
  for (const auto& [outputs, inputs] :
       {Product{3072, 1024}, Product{1024, 1024}, Product{8192, 1024}, Product{1024, 4096}}) {
    const auto faster = [&](const GemmShape& shape, GemmPass pass) {
      return gemm_time(shape, pass, Precision::Fp8, layer.device) -
             gemm_time(shape, pass, Precision::Bf16, layer.device);
    };
    forward += moved(4.0 * 4096 * static_cast<double>(inputs), layer.device) +
               faster({.m = 4096, .n = outputs, .k = inputs}, GemmPass::Forward);
    backward += moved(4.0 * 4096 * static_cast<double>(outputs), layer.device) +
                faster({.m = 4096, .n = inputs, .k = outputs}, GemmPass::InputGradient) +
                faster({.m = inputs, .n = outputs, .k = 4096}, GemmPass::WeightGradient);
  }
  REQUIRE(close(fp8.forward.sum(), plain.forward.sum() + forward));
  REQUIRE(close(fp8.backward.sum(), plain.backward.sum() + backward));
}
