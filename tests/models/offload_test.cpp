#include "models/offload.h"

#include <catch2/catch.hpp>

#include "models/collectives.h"
#include "tests/support/small_steps.h"
#include "topology/group_layout.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

struct OffloadedRank {
  explicit OffloadedRank(int data) : job(small_job({.data = data})) {
    profile.framework.communication.gradient_bucket = Bytes();
  }
  TrainingJob job;
  Profile profile = plain_profile();
  Device device = plain_device();
  WorkContext work() const { return {job, profile.framework, device}; }
};

// Bytes of all operations of one kind in a rank's streams.
double bytes_of(const StepProgram& program, CollectiveKind kind) {
  double sum = 0;
  for (const auto& stream : program.programs[0].streams) {
    for (const Instruction& instruction : stream) {
      if (instruction.kind != InstructionKind::Collective) continue;
      const Operation& operation =
          program.operations[static_cast<std::size_t>(instruction.operation)];
      if (operation.kind == kind) sum += operation.message.value();
    }
  }
  return sum;
}

constexpr double parameters_of_small_model = 166'216'704;  // memory_test.cpp adds them up

}  // namespace

TEST_CASE("an offloaded optimizer leaves the GPU with its shard of the state", "[models][memory]") {
  OffloadedRank rank(8);
  rank.job.plan.zero_stage = 2;
  rank.job.plan.offload.optimizer = true;
  const ModelState device = model_state(1'000'000, rank.work());
  const ModelState host = host_model_state(1'000'000, rank.work());
  REQUIRE(device.weights.value() == 2e6);
  REQUIRE(device.gradients.value() == 0);  // each goes to the host once it is reduced
  REQUIRE(device.optimizer.value() == 0);
  // Over 8 ranks: 12 bytes of state, 4 of gradient, 2 of the weights that go back.
  REQUIRE(host.optimizer.value() == 1.5e6);
  REQUIRE(host.gradients.value() == 0.5e6);
  REQUIRE(host.weights.value() == 0.25e6);
}

TEST_CASE("below ZeRO 2 the GPU keeps whole gradients beside the host's", "[models][memory]") {
  OffloadedRank rank(8);
  rank.job.plan.zero_stage = GENERATE(0, 1);
  rank.job.plan.offload.optimizer = true;
  REQUIRE(model_state(1'000'000, rank.work()).gradients.value() == 4e6);
}

TEST_CASE("offloaded parameters leave nothing but what is gathered", "[models][memory]") {
  OffloadedRank rank(4);
  rank.job.plan.zero_stage = 3;
  rank.job.plan.offload.parameters = true;
  REQUIRE(model_state(1'000'000, rank.work()).weights.value() == 0);
  REQUIRE(host_model_state(1'000'000, rank.work()).weights.value() == 0.5e6);
}

TEST_CASE("Adam on the host reads and writes its state over 0.7 of the memory's bandwidth",
          "[models]") {
  // Read: gradient 4, master and moments 12; written: these 12 and the 16-bit weight, 30 in all.
  REQUIRE(host_update_traffic(7e9, OffloadedRank(1).work()).value() == Approx(30.0 * 7e9 / 0.7));
}

TEST_CASE("an offloaded optimizer sends its shard's gradients there and its weights back",
          "[models]") {
  TrainingJob job = small_job({.data = 4, .micro_batches = 1});
  job.plan.zero_stage = 2;
  job.plan.offload.optimizer = true;
  job.plan.overlap_gradient_reduce = GENERATE(false, true);
  const Step step(job, small_cluster(1, 4, 1));
  const double shard = parameters_of_small_model / 4;
  REQUIRE(bytes_of(step.program, CollectiveKind::CopyToHost) == Approx(4 * shard).epsilon(1e-6));
  REQUIRE(bytes_of(step.program, CollectiveKind::CopyFromHost) == Approx(2 * shard).epsilon(1e-6));
  REQUIRE(bytes_of(step.program, CollectiveKind::HostUpdate) ==
          Approx(30 / 0.7 * shard).epsilon(1e-6));
}

TEST_CASE("experts go to the host by the ranks that hold the same ones", "[models][memory]") {
  TrainingJob job = small_job({.data = 4, .micro_batches = 1});
  job.model.experts = {.num_experts = 4, .experts_per_token = 1, .ffn_hidden_size = 512};
  job.plan.expert_parallel = 2;
  job.plan.zero_stage = 2;
  job.plan.offload.optimizer = true;
  const Step step(job, small_cluster(1, 4, 1));
  // 8 layers without their MLP (2 x 1024 x 4096), with a router of 4 x 1024; two of the layer's
  // four experts of 2 x 1024 x 512 on a rank, and two ranks hold the same.
  const double others = parameters_of_small_model - 8 * (2 * 1024 * 4096.0 - 4 * 1024);
  const double owned = others / 4 + 8 * 2 * (2 * 1024 * 512.0) / 2;
  REQUIRE(bytes_of(step.program, CollectiveKind::CopyToHost) == Approx(4 * owned).epsilon(1e-6));
  REQUIRE(bytes_of(step.program, CollectiveKind::CopyFromHost) == Approx(2 * owned).epsilon(1e-6));
  REQUIRE(bytes_of(step.program, CollectiveKind::HostUpdate) ==
          Approx(30 / 0.7 * owned).epsilon(1e-6));
  const RankProgram& rank = step.program.programs[0];
  const auto held = [](const auto& parts, MemoryPart part) {
    return parts[static_cast<std::size_t>(part)].value();
  };
  REQUIRE(held(rank.resident, MemoryPart::Optimizer) == 0);
  REQUIRE(held(rank.host_resident, MemoryPart::Optimizer) == Approx(12 * owned));
}

TEST_CASE("a layer with experts sends what it keeps to the host", "[models]") {
  TrainingJob job = small_job({.micro_batches = 1});
  job.model.experts = {.num_experts = 4, .experts_per_token = 2, .ffn_hidden_size = 2048};
  job.plan.offload.activations = true;
  const Step step(job, small_cluster(1, 1, 1));
  // As a dense layer's 18 x 1024 + 4 x 4096 bytes a token (two experts of 2048 are as wide), and
  // each row of 1024 as it came and as it went back, two rows a token.
  const double layer = 512 * (18 * 1024 + 4 * 4096 + 2 * (2 + 2) * 1024.0);
  REQUIRE(bytes_of(step.program, CollectiveKind::CopyToHost) == Approx(7 * layer));
}

TEST_CASE("gradients of a further micro-batch come back to be added to, and go again", "[models]") {
  TrainingJob job = small_job({.data = 4, .micro_batches = 3});
  job.plan.zero_stage = 2;
  job.plan.offload.optimizer = true;
  const Step step(job, small_cluster(1, 4, 1));
  const double shard = parameters_of_small_model / 4;
  REQUIRE(bytes_of(step.program, CollectiveKind::CopyToHost) ==
          Approx(3 * 4 * shard).epsilon(1e-6));
  REQUIRE(bytes_of(step.program, CollectiveKind::CopyFromHost) ==
          Approx((2 * 4 + 2) * shard).epsilon(1e-6));
}

TEST_CASE("activations go to the host and come back, but those of the last layer", "[models]") {
  TrainingJob job = small_job({.micro_batches = 2});
  job.plan.offload.activations = true;
  const Step step(job, small_cluster(1, 1, 1));
  // 7 of 8 layers of 17,825,792 bytes (memory_test.cpp), for each of two micro-batches.
  const double expected = 2 * 7 * 17'825'792.0;
  REQUIRE(bytes_of(step.program, CollectiveKind::CopyToHost) == expected);
  REQUIRE(bytes_of(step.program, CollectiveKind::CopyFromHost) == expected);
}

TEST_CASE("a copy takes its latency and its route's rate, a host its memory's or its cores'",
          "[models]") {
  ClusterSpec spec = small_cluster(1, 2, 1);
  const Cluster cluster(spec);
  const GroupLayout to_host = layout_host_copy(cluster, 0, true);
  const Transfer copy = plan_host_transfer(CollectiveKind::CopyToHost, 24_GB, to_host);
  REQUIRE(alone_time(copy, to_host).value() == Approx(1.0 + 1.6e-6));  // PCIe: 24 GB/s
  // Each of two sockets has 150 of the 300 GB/s.
  const GroupLayout memory = layout_host_memory(cluster, 0);
  const Transfer update = plan_host_transfer(CollectiveKind::HostUpdate, 300_GB, memory);
  REQUIRE(alone_time(update, memory).value() == Approx(2.0));
  spec.node.host_cores = 8;  // four for each GPU, at 8 GB/s each
  const Cluster few_cores(spec);
  const GroupLayout slow = layout_host_memory(few_cores, 0);
  const Transfer by_cores = plan_host_transfer(CollectiveKind::HostUpdate, 64_GB, slow);
  REQUIRE(alone_time(by_cores, slow).value() == Approx(2.0));
}
