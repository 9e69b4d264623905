#include "models/kernels.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <string>

#include "tests/models/read_json.h"

using namespace stepcast;
using Catch::Matchers::WithinRel;

namespace {

/// Round numbers: 50 TFLOP/s for GEMMs, 60 TFLOP/s for attention, 200 GB/s under a GEMM, 320 GB/s
/// for memory-bound kernels.
Device round_device() {
  Device device;
  device.gpu.fp32 = 10_TFLOP_per_s;
  device.gpu.tf32 = 50_TFLOP_per_s;
  device.gpu.fp16 = 100_TFLOP_per_s;
  device.gpu.fp8 = 200_TFLOP_per_s;
  device.gpu.memory_bandwidth = 400_GB_per_s;
  GpuProfile& profile = device.profile;
  profile.gemm.peak_share.value = 0.5;
  profile.gemm.bandwidth_share.value = 0.5;
  profile.gemm.roofline_power.value = 2;
  profile.gemm.launch.value = 10_us;
  profile.gemm.fp8_rate.value = 0.8;
  profile.gemm.weight_gradient_slowdown.value = 1.1;
  profile.gemm.misaligned_slowdown.value = 12;
  profile.sustained_clock.value = 1;
  profile.attention.flash_peak_share.value = 0.6;
  profile.attention.flash_backward_rate.value = 0.8;
  profile.attention.flash_sequence_offset.value = 100;
  profile.attention.flash1_rate.value = 0.5;
  profile.attention.flash3_rate.value = 1.5;
  profile.memory_bound.bandwidth_share.value = 0.8;
  profile.attention.unfused_softmax_slowdown.value = 1.28;
  profile.memory_bound.kernel_floor.value = 2_us;
  return device;
}

const Device device = round_device();
const GemmShape square{1000, 1000, 1000};
const AttentionShape causal{1, 10, 10, 48, 1000, 1000, true};

Seconds gemm(const GemmShape& shape, const Device& on = device,
             Precision precision = Precision::Bf16) {
  return gemm_time(shape, GemmPass::Forward, precision, on);
}

Seconds flash(const AttentionShape& shape, AttentionKernel kernel = AttentionKernel::Flash2,
              const Device& on = device) {
  return flash_attention_forward_time(shape, kernel, Precision::Bf16, on);
}

Seconds flash_backward(const AttentionShape& shape,
                       AttentionKernel kernel = AttentionKernel::Flash2) {
  return flash_attention_backward_time(shape, kernel, Precision::Bf16, device);
}

AttentionShape with_heads(std::int64_t heads, std::int64_t groups) {
  AttentionShape shape = causal;
  shape.heads = heads;
  shape.groups = groups;
  return shape;
}

Device catalogue_device(const std::string& gpu, const std::string& profile) {
  return {from_catalogue<GpuSpec>("gpus", gpu),
          from_catalogue<GpuProfile>("profiles/gpu", profile)};
}

}  // namespace

TEST_CASE("a GEMM on the soft roofline, worked by hand", "[models]") {
  // 2 GFLOP at 50 TFLOP/s: 40 us; 6 MB at 200 GB/s: 30 us; sqrt(40^2 + 30^2) + 10 us
  REQUIRE_THAT(gemm(square).value(), WithinRel(60e-6, 1e-12));
  // Input gradients cost the same, weight gradients 1.1 x 50 + 10
  REQUIRE_THAT(gemm_time(square, GemmPass::InputGradient, Precision::Fp16, device).value(),
               WithinRel(60e-6, 1e-12));
  REQUIRE_THAT(gemm_time(square, GemmPass::WeightGradient, Precision::Fp16, device).value(),
               WithinRel(65e-6, 1e-12));
}

TEST_CASE("a GEMM's peak and bytes follow the precision", "[models]") {
  // fp32: 400 us of FLOP, 12 MB in 60 us
  REQUIRE_THAT(gemm(square, device, Precision::Fp32).value(),
               WithinRel(std::hypot(400e-6, 60e-6) + 10e-6, 1e-12));
  // tf32: half the 16-bit peak, 4-byte elements: 80 us and 60 us
  REQUIRE_THAT(gemm(square, device, Precision::Tf32).value(), WithinRel(110e-6, 1e-12));
  // fp8: 200 TFLOP/s x 0.5 x 0.8: 25 us; one byte in, two out: 4 MB in 20 us
  REQUIRE_THAT(gemm(square, device, Precision::Fp8).value(),
               WithinRel(std::hypot(25e-6, 20e-6) + 10e-6, 1e-12));
}

TEST_CASE("a GPU without fp8 multiplies fp8 at its 16-bit rate", "[models]") {
  Device ampere = device;
  ampere.gpu.fp8 = ampere.gpu.fp16;
  REQUIRE_THAT(gemm(square, ampere, Precision::Fp8).value(),
               WithinRel(std::hypot(40e-6, 20e-6) + 10e-6, 1e-12));
}

TEST_CASE("a batch of GEMMs is one launch", "[models]") {
  REQUIRE_THAT(gemm({1000, 1000, 1000, 7}).value(), WithinRel(7 * 50e-6 + 10e-6, 1e-12));
}

TEST_CASE("a GEMM without elements takes no time", "[models]") {
  const GemmShape shape =
      GENERATE(GemmShape{0, 8, 8}, GemmShape{8, 0, 8}, GemmShape{8, 8, 0}, GemmShape{8, 8, 8, 0});
  REQUIRE(gemm(shape) == Seconds(0));
}

TEST_CASE("a larger GEMM is never faster, nor a GPU of twice the peak slower", "[models]") {
  const std::string profile = GENERATE("a100", "h100");
  const Device gpu = catalogue_device(profile + "_sxm_80gb", profile);
  const std::int64_t m = GENERATE(1, 17, 256, 4096, 100000);
  const std::int64_t n = GENERATE(1, 768, 12288);
  const std::int64_t k = GENERATE(1, 64, 4096);
  const GemmShape shape{m, n, k, 2};
  const Seconds time = gemm(shape, gpu);
  for (const GemmShape& larger : {GemmShape{m + 1, n, k, 2}, GemmShape{m, n + 1, k, 2},
                                  GemmShape{m, n, k + 1, 2}, GemmShape{m, n, k, 3}}) {
    REQUIRE(gemm(larger, gpu) >= time);
  }
  Device faster = gpu;
  faster.gpu.fp16 = 2 * gpu.gpu.fp16;
  REQUIRE(gemm(shape, faster) <= time);
  Device wider = gpu;
  wider.gpu.memory_bandwidth = 2 * gpu.gpu.memory_bandwidth;
  REQUIRE(gemm(shape, wider) <= time);
}

TEST_CASE("a GEMM beats neither its FLOP at peak nor its bytes at full bandwidth", "[models]") {
  const Device gpu = catalogue_device("h100_sxm_80gb", "h100");
  const std::int64_t m = GENERATE(1, 64, 2048, 65536);
  const std::int64_t n = GENERATE(128, 4096);
  const std::int64_t k = GENERATE(128, 8192);
  const Seconds time = gemm({m, n, k}, gpu);
  REQUIRE(time > Flop(2.0 * static_cast<double>(m * n * k)) / gpu.gpu.fp16);
  REQUIRE(time >
          Bytes(2.0 * static_cast<double>(m * k + k * n + m * n)) / gpu.gpu.memory_bandwidth);
}

TEST_CASE("causal FlashAttention, worked by hand", "[models]") {
  // 4 x 10 heads x 1000 queries x (500 + 100) keys x 48 = 1.152 GFLOP at 60 TFLOP/s, plus 2 us
  REQUIRE_THAT(flash(causal).value(), WithinRel(19.2e-6 + 2e-6, 1e-12));
  // 2.5 times that at 48 TFLOP/s
  REQUIRE_THAT(flash_backward(causal).value(), WithinRel(60e-6 + 2e-6, 1e-12));
  // without the mask every key counts: (1000 + 100) keys
  AttentionShape whole = causal;
  whole.causal = false;
  REQUIRE_THAT(flash(whole).value(), WithinRel(35.2e-6 + 2e-6, 1e-12));
}

TEST_CASE("FlashAttention versions differ in rate", "[models]") {
  REQUIRE_THAT(flash(causal, AttentionKernel::Flash1).value(), WithinRel(38.4e-6 + 2e-6, 1e-12));
  REQUIRE_THAT(flash(causal, AttentionKernel::Flash3).value(), WithinRel(12.8e-6 + 2e-6, 1e-12));
}

TEST_CASE("small heads slow FlashAttention 2 and 3, not 1", "[models]") {
  Device sloping = device;
  sloping.profile.attention.flash_head_offset.value = 16;
  // Heads of 48 reach 48 / (48 + 16) = 0.75 where 128 reach 128 / (128 + 16) = 0.8889.
  REQUIRE_THAT(flash(causal, AttentionKernel::Flash2, sloping).value(),
               WithinRel(19.2e-6 * (128.0 / 144) / 0.75 + 2e-6, 1e-12));
  REQUIRE_THAT(flash(causal, AttentionKernel::Flash3, sloping).value(),
               WithinRel(12.8e-6 * (128.0 / 144) / 0.75 + 2e-6, 1e-12));
  REQUIRE(flash(causal, AttentionKernel::Flash1, sloping) ==
          flash(causal, AttentionKernel::Flash1));
}

TEST_CASE("short queries of FlashAttention are bound by memory", "[models]") {
  // One query of 10 heads over 1000 keys: 10 x 2 + 10 x 2000 vectors of 48 two-byte elements
  AttentionShape decode = causal;
  decode.queries = 1;
  decode.causal = false;
  const double bytes = (10 * 2 + 10 * 2000) * 48 * 2;
  REQUIRE_THAT(flash(decode).value(), WithinRel(bytes / 320e9 + 2e-6, 1e-12));
  // With one group the keys and values are read once: 10 x 2 + 1 x 2000 vectors
  decode.groups = 1;
  const double grouped_bytes = (10 * 2 + 2000) * 48 * 2;
  REQUIRE_THAT(flash(decode).value(), WithinRel(grouped_bytes / 320e9 + 2e-6, 1e-12));
}

TEST_CASE("query groups save no FLOP", "[models]") {
  REQUIRE(flash(with_heads(10, 1)) == flash(causal));
}

TEST_CASE("the sustained clock slows GEMMs, not fused attention", "[models]") {
  Device hot = device;
  hot.profile.sustained_clock.value = 0.8;
  hot.profile.gemm.bandwidth_share.value = 1e6;  // FLOP alone
  REQUIRE_THAT(gemm(square, hot).value(), WithinRel(40e-6 / 0.8 + 10e-6, 1e-9));
  REQUIRE(flash(causal, AttentionKernel::Flash2, hot) == flash(causal));
}

TEST_CASE("unfused attention is its products and the softmax chain, worked by hand", "[models]") {
  const bool fused = GENERATE(true, false);
  // 10 heads x 1000 x 1000 scores at 320 GB/s, traffic 1.28 times the ideal. Bytes per score:
  // fused, softmax 2 + 2 and dropout 2 + 1 + 2; backward 2 + 2 + 2 and 2 + 1 + 2.
  // Not fused, mask 5, cast 6, softmax 8, cast 6, dropout 5; backward one more fp32 read.
  const double forward_bytes = fused ? 9 : 30;
  const double backward_bytes = fused ? 11 : 34;
  const double scores = 1.28 * 1e7 / 320e9;
  const Seconds score_product = gemm({1000, 1000, 48, 10});
  const Seconds context_product = gemm({1000, 48, 1000, 10});
  REQUIRE_THAT(
      unfused_attention_forward_time(causal, Precision::Bf16, fused, device).value(),
      WithinRel((score_product + context_product).value() + forward_bytes * scores, 1e-12));
  REQUIRE_THAT(
      unfused_attention_backward_time(causal, Precision::Bf16, fused, device).value(),
      WithinRel((score_product + 3 * context_product).value() + backward_bytes * scores, 1e-12));
}

TEST_CASE("a head size that is no multiple of 8 slows the unfused products", "[models]") {
  AttentionShape odd = causal;
  odd.head_size = 100;
  const Seconds products = gemm({1000, 1000, 100, 10}) + gemm({1000, 100, 1000, 10});
  const double softmax = 9 * 1.28 * 1e7 / 320e9;
  REQUIRE_THAT(unfused_attention_forward_time(odd, Precision::Bf16, true, device).value(),
               WithinRel(12 * products.value() + softmax, 1e-12));
}

TEST_CASE("attention runs in 16 bits where the rest runs in fp8", "[models]") {
  REQUIRE(flash_attention_forward_time(causal, AttentionKernel::Flash2, Precision::Fp8, device) ==
          flash(causal));
  REQUIRE(unfused_attention_forward_time(causal, Precision::Fp8, true, device) ==
          unfused_attention_forward_time(causal, Precision::Bf16, true, device));
}

TEST_CASE("attention over nothing takes no time", "[models]") {
  AttentionShape shape = causal;
  std::int64_t& extent = GENERATE_REF(std::ref(shape.micro_batch), std::ref(shape.heads),
                                      std::ref(shape.queries), std::ref(shape.keys));
  extent = 0;
  REQUIRE(flash(shape) == Seconds(0));
  REQUIRE(flash_backward(shape) == Seconds(0));
  REQUIRE(unfused_attention_forward_time(shape, Precision::Bf16, true, device) == Seconds(0));
  REQUIRE(unfused_attention_backward_time(shape, Precision::Bf16, true, device) == Seconds(0));
}

TEST_CASE("more attention is never faster", "[models]") {
  const std::int64_t length = GENERATE(1, 128, 2048, 32768);
  const std::int64_t heads = GENERATE(1, 12, 96);
  const bool masked = GENERATE(true, false);
  const AttentionShape shape{2, heads, heads, 64, length, length, masked};
  AttentionShape longer = shape;
  longer.queries = longer.keys = 2 * length;
  AttentionShape wider = shape;
  wider.heads = wider.groups = 2 * heads;
  AttentionShape more = shape;
  more.micro_batch = 3;
  for (const AttentionShape& larger : {longer, wider, more}) {
    REQUIRE(flash(larger) >= flash(shape));
    REQUIRE(flash_backward(larger) >= flash_backward(shape));
    REQUIRE(unfused_attention_forward_time(larger, Precision::Bf16, true, device) >=
            unfused_attention_forward_time(shape, Precision::Bf16, true, device));
    REQUIRE(unfused_attention_backward_time(larger, Precision::Bf16, true, device) >=
            unfused_attention_backward_time(shape, Precision::Bf16, true, device));
  }
}

TEST_CASE("a memory-bound kernel takes its bytes, but never less than the floor", "[models]") {
  REQUIRE_THAT(memory_bound_time(320_MB, device).value(), WithinRel(1e-3, 1e-12));
  REQUIRE(memory_bound_time(1_B, device) == 2_us);
  REQUIRE(memory_bound_time(0_B, device) == Seconds(0));
}

TEST_CASE("A100: a training GEMM reaches what published tables show", "[models]") {
  // 4096 x 4096 x 4096 in bf16: 229 to 255 TFLOP/s (73 to 82 % of 312) in public tables; here with
  // the sustained clock of 1.
  const Device a100 = catalogue_device("a100_sxm_80gb", "a100");
  const double rate = 2 * std::pow(4096.0, 3) / gemm({4096, 4096, 4096}, a100).value();
  REQUIRE(rate > 0.68 * 312e12);
  REQUIRE(rate < 0.82 * 312e12);
}
