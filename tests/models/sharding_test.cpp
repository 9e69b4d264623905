// What ZeRO's stages hold and send: Rajbhandari et al., SC '20, sections 5 and 7.
#include <catch2/catch.hpp>

#include "models/collectives.h"
#include "models/kernels.h"
#include "models/memory.h"
#include "tests/support/small_steps.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

constexpr double parameters_of_small_model = 166'216'704;  // memory_test.cpp adds them up

// The paper's recipe: 16-bit gradients, kept and sent, 2 + 2 + 12 bytes a weight.
Profile paper_profile() {
  Profile profile = plain_profile();
  profile.framework.recipe.gradient_bytes_fp16 = 2;
  profile.framework.recipe.gradient_reduce_bytes_fp16 = 2;
  profile.framework.communication.gradient_bucket = Bytes();
  return profile;
}

TrainingJob paper_job(int data, int zero_stage) {
  TrainingJob job = small_job({.data = data, .micro_batches = 1});
  job.precision = Precision::Fp16;
  job.plan.zero_stage = zero_stage;
  return job;
}

double state_bytes_a_weight(int data, int zero_stage) {
  const TrainingJob job = paper_job(data, zero_stage);
  const Profile profile = paper_profile();
  const Device device = plain_device();
  const ModelState state = model_state(1'000'000'000, {job, profile.framework, device});
  return (state.weights + state.gradients + state.optimizer).value() / 1e9;
}

// What one rank sends in a ring: bus factor times message.
double sent_bytes(const StepProgram& program, int ranks) {
  double sum = 0;
  for (const auto& stream : program.programs[0].streams) {
    for (const Instruction& instruction : stream) {
      if (instruction.kind != InstructionKind::Collective) continue;
      const Operation& operation =
          program.operations[static_cast<std::size_t>(instruction.operation)];
      sum += bus_factor(operation.kind, ranks) * operation.message.value();
    }
  }
  return sum;
}

int count(const StepProgram& program, CollectiveKind kind) {
  int sum = 0;
  for (const auto& stream : program.programs[0].streams) {
    for (const Instruction& instruction : stream) {
      sum += instruction.kind == InstructionKind::Collective &&
             program.operations[static_cast<std::size_t>(instruction.operation)].kind == kind;
    }
  }
  return sum;
}

// What one rank sends to the one that holds the same experts, the exchange of tokens left out.
double sent_among_two(const StepProgram& program) {
  double sent = 0;
  for (const auto& stream : program.programs[0].streams) {
    for (const Instruction& instruction : stream) {
      if (instruction.kind != InstructionKind::Collective) continue;
      const int group =
          program.communicators_of_rank[0][static_cast<std::size_t>(instruction.index)];
      if (program.communicators[static_cast<std::size_t>(group)].ranks.size() != 2) continue;
      const Operation& operation =
          program.operations[static_cast<std::size_t>(instruction.operation)];
      if (operation.kind == CollectiveKind::AllToAll) continue;
      sent += bus_factor(operation.kind, 2) * operation.message.value();
    }
  }
  return sent;
}

// Four data ranks, two of which hold the same two of four experts of 2 x 1024 x 512 weights in each
// of 8 layers.
TrainingJob job_with_experts(int zero_stage) {
  TrainingJob job = paper_job(4, zero_stage);
  job.model.experts = {.num_experts = 4, .experts_per_token = 1, .ffn_hidden_size = 512};
  job.plan.expert_parallel = 2;
  return job;
}
constexpr double kExpertWeightsOfRank = 8 * 2 * (2.0 * 1024 * 512);

}  // namespace

TEST_CASE("stage 3 leaves a rank one Nth of the state", "[models][memory]") {
  const int ranks = GENERATE(2, 8, 64);
  REQUIRE(state_bytes_a_weight(ranks, 0) == Approx(16.0));
  REQUIRE(state_bytes_a_weight(ranks, 3) == Approx(16.0 / ranks));
}

TEST_CASE("four ranks of stage 1 have 75 % less optimizer memory each", "[models][memory]") {
  const auto optimizer = [](int stage) {
    const TrainingJob job = paper_job(4, stage);
    const Profile profile = paper_profile();
    const Device device = plain_device();
    return model_state(1'000'000, {job, profile.framework, device}).optimizer.value();
  };
  REQUIRE(optimizer(1) == Approx(0.25 * optimizer(0)));
}

TEST_CASE("on many ranks stage 1 leaves a quarter of all state, stage 2 an eighth",
          "[models][memory]") {
  REQUIRE(state_bytes_a_weight(1 << 20, 1) == Approx(16.0 / 4).epsilon(1e-3));
  REQUIRE(state_bytes_a_weight(1 << 20, 2) == Approx(16.0 / 8).epsilon(1e-3));
}

TEST_CASE("stages 0 to 2 send two model sizes, stage 3 sends three", "[models]") {
  const auto [stage, volume] = GENERATE(table<int, double>({{0, 2}, {1, 2}, {2, 2}, {3, 3}}));
  CAPTURE(stage);
  const TrainingJob job = paper_job(4, stage);
  const Step step(job, small_cluster(1, 4, 1), paper_profile());
  // Elements of 2 bytes, of which a ring of four sends three quarters.
  const double model = 2 * parameters_of_small_model;
  REQUIRE(sent_bytes(step.program, 4) == Approx(volume * 0.75 * model).epsilon(1e-6));
}

TEST_CASE("parameters that stay gathered after the forward pass are sent once", "[models]") {
  TrainingJob job = paper_job(4, 3);
  job.plan.sharding.reshard_after_forward = false;
  const Step step(job, small_cluster(1, 4, 1), paper_profile());
  const double model = 2 * parameters_of_small_model;
  REQUIRE(sent_bytes(step.program, 4) == Approx(2 * 0.75 * model).epsilon(1e-6));
  // They are all held meanwhile, besides the shard.
  const Device device = plain_device();
  const Profile profile = paper_profile();
  const ModelShare all{.layers = 8, .embedding = true, .head = true};
  REQUIRE(gathered_parameters(all, {job, profile.framework, device}).value() == model);
}

TEST_CASE("a gather bucket of two layers makes half as many gathers", "[models]") {
  TrainingJob job = paper_job(4, 3);
  const Step by_layer(job, small_cluster(1, 4, 1), paper_profile());
  // The tables' gather and one for each of 8 layers, in both passes.
  REQUIRE(count(by_layer.program, CollectiveKind::AllGather) == 18);
  job.plan.sharding.gather_bucket = 2 * 2 * Bytes(12'584'960);
  const Step by_two(job, small_cluster(1, 4, 1), paper_profile());
  REQUIRE(count(by_two.program, CollectiveKind::AllGather) == 2 * 5);  // tables take one, too
}

TEST_CASE("a gather limit of one holds one unit, prefetch holds those ahead", "[models][memory]") {
  TrainingJob job = paper_job(2, 3);
  const Profile profile = paper_profile();
  const Device device = plain_device();
  const auto gathered_layers = [&] {
    const ModelShare layers{.layers = 8};
    return gathered_parameters(layers, {job, profile.framework, device}) / 2.0 / Bytes(12'584'960);
  };
  job.plan.sharding.prefetch_units = 3;
  REQUIRE(gathered_layers() == Approx(4));
  job.plan.sharding.gather_limit = 2;
  REQUIRE(gathered_layers() == Approx(2));
  job.plan.sharding.gather_limit = 1;
  REQUIRE(gathered_layers() == Approx(1));
}

TEST_CASE("reduction buckets cut the gradients into messages", "[models]") {
  TrainingJob job = paper_job(4, 1);
  job.plan.sharding.reduce_bucket = 100_MB;  // of 332.4 MB
  job.plan.sharding.gather_bucket = 50_MB;
  const Step step(job, small_cluster(1, 4, 1), paper_profile());
  REQUIRE(count(step.program, CollectiveKind::ReduceScatter) == 4);
  REQUIRE(count(step.program, CollectiveKind::AllGather) == 7);
}

TEST_CASE("a framework without buckets gathers an update matrix by matrix", "[models]") {
  Profile profile = paper_profile();
  profile.framework.communication.gathered_matrices_per_layer = 3;
  const Step step(paper_job(4, 1), small_cluster(1, 4, 1), profile);
  REQUIRE(count(step.program, CollectiveKind::AllGather) == 8 * 3);
  REQUIRE(count(step.program, CollectiveKind::ReduceScatter) == 1);
}

TEST_CASE("weights that are gathered in 8 bits send half of what they did, and cost their kernels",
          "[models]") {
  TrainingJob job = paper_job(4, 3);
  const Step plain(job, small_cluster(1, 4, 1), paper_profile());
  job.plan.sharding.quantized_gather = true;
  const Step quantized(job, small_cluster(1, 4, 1), paper_profile());
  // Two gathers of a byte and a scale of four for 2,048, a reduction of two bytes; 3 of 4 travel.
  const double scaled = 1 + 4.0 / 2048;
  REQUIRE(sent_bytes(quantized.program, 4) ==
          Approx((2 * scaled + 2) * 0.75 * parameters_of_small_model).epsilon(1e-6));
  // Of a million weights: a byte and two for the whole, and for a quarter of them.
  const Device device = plain_device();
  const Profile profile = paper_profile();
  const WorkContext context{job, profile.framework, device};
  REQUIRE(dequantization_time(1'000'000'000, context) ==
          memory_bound_time(Bytes((scaled + 2) * 1.25 * 1e9), device));
  REQUIRE(dequantization_time(1'000'000, {paper_job(4, 3), profile.framework, device}) ==
          Seconds());
}

TEST_CASE("stage 3 has its own stream where the plan hides traffic", "[models]") {
  TrainingJob job = paper_job(4, 3);
  const auto in_stream = [&](Stream stream, CollectiveKind kind) {
    const Step step(job, small_cluster(1, 4, 1), paper_profile());
    int sum = 0;
    for (const Instruction& instruction : step.program.programs[0].stream(stream)) {
      sum += instruction.kind == InstructionKind::Collective &&
             step.program.operations[static_cast<std::size_t>(instruction.operation)].kind == kind;
    }
    return sum;
  };
  // One communicator's messages stand in one stream, in front of compute where none is hidden.
  for (const auto& [gathers, reduces] : {std::pair{true, true}, {true, false}, {false, true}}) {
    job.plan.overlap_parameter_gather = gathers;
    job.plan.overlap_gradient_reduce = reduces;
    REQUIRE(in_stream(Stream::Data, CollectiveKind::AllGather) == 18);
    REQUIRE(in_stream(Stream::Data, CollectiveKind::ReduceScatter) == 9);
  }
  job.plan.overlap_parameter_gather = false;
  job.plan.overlap_gradient_reduce = false;
  REQUIRE(in_stream(Stream::Compute, CollectiveKind::AllGather) == 18);
  REQUIRE(in_stream(Stream::Compute, CollectiveKind::ReduceScatter) == 9);
}

TEST_CASE("stage 3 overlaps as its framework does unless the plan says so", "[models]") {
  TrainingJob job = paper_job(4, 3);
  FrameworkProfile framework = paper_profile().framework;
  const bool habit = GENERATE(false, true);
  framework.communication.zero3_overlap = habit;
  job.plan.overlap_parameter_gather.reset();
  complete(job, 4, framework);
  REQUIRE(*job.plan.overlap_parameter_gather == habit);
}

TEST_CASE("experts send their own model sizes among the ranks that hold the same ones",
          "[models]") {
  // A ring of two sends half of 2 bytes a weight.
  const auto [stage, volume] = GENERATE(table<int, double>({{1, 2}, {2, 2}, {3, 3}}));
  CAPTURE(stage);
  const Step step(job_with_experts(stage), small_cluster(1, 4, 1), paper_profile());
  REQUIRE(sent_among_two(step.program) ==
          Approx(volume * 0.5 * 2 * kExpertWeightsOfRank).epsilon(1e-6));
}

TEST_CASE("experts gathered in 8 bits send a byte and its scale twice, and their gradients in 16",
          "[models]") {
  TrainingJob job = job_with_experts(3);
  job.plan.sharding.quantized_gather = true;
  const Step step(job, small_cluster(1, 4, 1), paper_profile());
  const double bytes = 2 * (1 + 4.0 / 2048) + 2;
  REQUIRE(sent_among_two(step.program) == Approx(0.5 * bytes * kExpertWeightsOfRank).epsilon(1e-6));
}
