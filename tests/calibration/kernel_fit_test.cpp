#include "calibration/kernel_fit.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "calibration/measured_kernels.h"
#include "tests/support/small_steps.h"

using namespace stepcast;

namespace {

MeasuredKernel product(std::int64_t m, std::int64_t n, std::int64_t k) {
  return {MeasuredGemm{{m, n, k}, Precision::Bf16, GemmPass::Forward}, 1_us, 0};
}

// Products whose times the device itself gives: what a fit should find again.
std::vector<MeasuredKernel> table_of(const Device& device) {
  std::vector<MeasuredKernel> kernels;
  for (std::int64_t m = 256; m <= 8192; m *= 2) {
    for (std::int64_t n = 384; n <= 16384; n *= 3) {
      for (std::int64_t k = 512; k <= 8192; k *= 4) kernels.push_back(product(m, n, k));
    }
  }
  for (MeasuredKernel& kernel : kernels) kernel.time = kernel_time(kernel, device);
  return kernels;
}

Device some_device() {
  const Profile profile = test::plain_profile();
  Device device;
  device.profile = profile.gpu;
  device.gpu.fp16 = 300_TFLOP_per_s;
  device.gpu.fp8 = device.gpu.fp16;
  device.gpu.memory_bandwidth = 2000_GB_per_s;
  device.gpu.multiprocessors = 108;
  return device;
}

}  // namespace

TEST_CASE("a fit to measured products finds the constants that made them", "[calibration]") {
  Device maker = some_device();
  maker.profile.gemm.peak_share.value = 0.9;
  maker.profile.gemm.launch.value = 4_us;
  const std::vector<ProfilePrior> priors{{"gpu/x", "gemm/peak_share", 0.8, 0.2, "a guess"},
                                         {"gpu/x", "gemm/launch", 8e-6, 0.7, "a guess"}};
  const KernelFit fit = fit_kernels(priors, table_of(maker), some_device(), 1);
  CHECK(fit.fit.parameters[0].value == Approx(0.9).epsilon(0.01));
  CHECK(fit.fit.parameters[1].value == Approx(4e-6).epsilon(0.03));
  std::size_t judging = 0;
  for (const KernelMiss& miss : fit.misses) {
    judging += miss.fitted ? 0 : 1;
    CHECK(std::abs(miss.miss) < 0.01);
  }
  CHECK(judging > 10);
  CHECK(judging < fit.misses.size() - 10);
}

TEST_CASE("products with a narrow side take no part", "[calibration]") {
  REQUIRE(training_kernels({product(255, 512, 512), product(256, 256, 256)}).size() == 1);
}

TEST_CASE("a table's passes and attention are read", "[calibration]") {
  const auto gemm = parse_kernel_table("m,n,k,pass,time_us\n8,9,10,weight_gradient,5\n", "k.csv");
  CHECK(std::get<MeasuredGemm>(gemm[0].kernel).pass == GemmPass::WeightGradient);
  CHECK(kernel_family(gemm[0]) == "GEMM weight gradient");
  const auto chart = parse_kernel_table(
      "attention,micro_batch,heads,head_size,sequence_length,causal,pass,time_us\n"
      "flash2,2,16,128,2048,0,both,100\n",
      "a.csv");
  const auto& attention = std::get<MeasuredAttention>(chart[0].kernel);
  CHECK(attention.kernel == AttentionKernel::Flash2);
  CHECK(attention.pass == AttentionPass::Both);
  CHECK(attention.shape.queries == 2048);
  CHECK(attention.shape.groups == 16);
  CHECK_FALSE(attention.shape.causal);
  const Device device = some_device();
  // Backward does 2.5 times the work of the forward pass at 0.8 of its rate: far from the floor.
  MeasuredKernel forward = chart[0];
  std::get<MeasuredAttention>(forward.kernel).pass = AttentionPass::Forward;
  CHECK(kernel_time(chart[0], device) / kernel_time(forward, device) ==
        Approx(1 + 2.5 / 0.8).epsilon(0.05));
}

TEST_CASE("a table of attention says which column lacks and which word is wrong", "[calibration]") {
  const auto error = [](const std::string& text) -> std::string {
    try {
      parse_kernel_table(text, "a.csv");
    } catch (const InputError& input) {
      return input.what();
    }
    return "no error";
  };
  CHECK(error("attention,heads,time_us\nflash2,16,1\n") ==
        "a.csv: at /: the table of attention has no column micro_batch");
  CHECK(error("m,n,k,pass,time_us\n8,8,8,sideways,1\n") ==
        "a.csv: at line 2: column \"pass\" holds \"sideways\", expected one of forward, "
        "input_gradient, weight_gradient");
}
