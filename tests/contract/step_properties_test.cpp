// What must hold for every step, whatever the plan: tried over generated plans.
#include <catch2/catch.hpp>

#include "sim/analytic_engine.h"
#include "sim/run.h"
#include "tests/support/generated_steps.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

Seconds analytic_time(const GeneratedStep& generated) {
  const Step step(generated.job, generated.cluster, generated.profile);
  const FoldedProgram folded = step.folded();
  return run_analytic(folded, fuse_all(folded)).end();
}

double to_slower(Seconds before, Seconds after) { return after / before - 1.0; }

// Messages are rounded up to whole bytes, so a faster part may cost a byte's time elsewhere.
constexpr double kRounding = 1e-9;

}  // namespace

TEST_CASE("analytic engine: doubling the NICs' bandwidth never makes a step slower", "[contract]") {
  const auto seed = GENERATE(range(0u, 60u));
  CAPTURE(seed);
  GeneratedStep generated = generate_step(seed);
  const Seconds before = analytic_time(generated);
  generated.cluster.fabric.nic_bandwidth *= 2.0;
  REQUIRE(to_slower(before, analytic_time(generated)) < kRounding);
}

TEST_CASE("analytic engine: doubling the GPU's rate never makes a step slower", "[contract]") {
  const auto seed = GENERATE(range(0u, 60u));
  CAPTURE(seed);
  GeneratedStep generated = generate_step(seed);
  const Seconds before = analytic_time(generated);
  generated.cluster.node.gpu.fp16 *= 2.0;
  REQUIRE(to_slower(before, analytic_time(generated)) < kRounding);
}

TEST_CASE("analytic engine: doubling the memory bandwidth never makes a step slower",
          "[contract]") {
  const auto seed = GENERATE(range(0u, 60u));
  CAPTURE(seed);
  GeneratedStep generated = generate_step(seed);
  const Seconds before = analytic_time(generated);
  generated.cluster.node.gpu.memory_bandwidth *= 2.0;
  REQUIRE(to_slower(before, analytic_time(generated)) < kRounding);
}

TEST_CASE("one GPU sends nothing", "[contract]") {
  const Step step(small_job({}), small_cluster(1, 1, 1));
  REQUIRE(step.program.communicators.empty());
  REQUIRE(step.program.operations.empty());
}

TEST_CASE("the same step runs to the same spans, bit for bit", "[contract]") {
  const GeneratedStep generated = generate_step(7);
  const auto run = [&] {
    const Step step(generated.job, generated.cluster, generated.profile);
    return run_engine(step.folded(), EngineChoice::Event).timeline;
  };
  const Timeline first = run();
  const Timeline second = run();
  REQUIRE(first.ranks.size() == second.ranks.size());
  for (std::size_t r = 0; r < first.ranks.size(); ++r) {
    for (std::size_t s = 0; s < first.ranks[r].streams.size(); ++s) {
      const std::vector<Span>& a = first.ranks[r].streams[s];
      const std::vector<Span>& b = second.ranks[r].streams[s];
      REQUIRE(std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Span& x, const Span& y) {
        return x.instruction == y.instruction && x.begin == y.begin && x.end == y.end;
      }));
    }
  }
}

TEST_CASE("no step beats the floating-point work of its busiest rank", "[contract]") {
  const auto seed = GENERATE(range(0u, 40u));
  CAPTURE(seed);
  const GeneratedStep generated = generate_step(seed);
  const TrainingJob& job = generated.job;
  const Flop work = model_flop(job.model, job.batch.sequence_length) * job.batch.global_batch;
  const int ranks = rank_grid(job.plan).num_ranks();
  // Attention counts the whole square; a causal kernel works on half of it at the least.
  const Seconds bound = work * 0.5 / ranks / generated.cluster.node.gpu.fp16;
  REQUIRE(analytic_time(generated) > bound);
}
