#include "sim/folding.h"

#include <catch2/catch.hpp>

#include "sim/analytic_engine.h"
#include "sim/forked_run.h"
#include "sim/fusing.h"
#include "sim/run.h"
#include "sim/simgrid/event_engine.h"
#include "tests/support/generated_steps.h"
#include "tests/support/timelines.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

Timeline event_timeline(const FoldedProgram& folded) {
  const FusePlan plan = fuse_none(folded);
  return run_forked([&] { return run_event_in_this_process(folded, plan); });
}

Step step_of(unsigned seed) {
  const GeneratedStep generated = generate_step(seed);
  Step step(generated.job, generated.cluster, generated.profile);
  if (seed % 3 == 0) send_all_to_all(step.program);
  return step;
}

void require_folding_exact(unsigned seed) {
  CAPTURE(seed);
  const Step step = step_of(seed);
  const FoldedProgram folded = step.folded();
  const FoldedProgram unfolded = step.unfolded();
  const TimelineComparison event =
      compare(folded, event_timeline(folded), unfolded, event_timeline(unfolded));
  REQUIRE(event.spans > 0);
  REQUIRE(event.largest_difference < 1e-9);
}

void require_analytic_below_event(unsigned seed) {
  CAPTURE(seed);
  const Step step = step_of(seed);
  const FoldedProgram folded = step.folded();
  const Timeline analytic = run_analytic(folded, fuse_none(folded));
  const TimelineComparison bound = compare(folded, analytic, folded, event_timeline(folded));
  REQUIRE(bound.spans > 0);
  REQUIRE(bound.first_earlier < 1e-12);
}

// How far a program's ends move when every GPU is 1e-15 slower. Where flows contend, who comes
// first decides who waits, and an end may move by 1e6 times what moved a beginning.
double rounding_effect(const FoldedProgram& folded, const Timeline& timeline) {
  FoldedProgram nudged = folded;
  for (FoldedRank& rank : nudged.ranks) rank.rate *= 1.0 - 1e-15;
  return compare(folded, timeline, nudged, event_timeline(nudged)).largest_difference;
}

// Fused durations are sums in another order, so they differ by rounding, and by what it leads to.
void require_fusing_exact(unsigned seed) {
  CAPTURE(seed);
  const Step step = step_of(seed);
  const FoldedProgram folded = step.folded();
  const EngineRun fused = run_engine(folded, EngineChoice::Event);
  const Timeline unfused = event_timeline(folded);
  const TimelineComparison difference = compare(folded, fused.timeline, folded, unfused);
  REQUIRE(difference.spans > 0);
  if (difference.largest_difference < 1e-9) return;
  REQUIRE(difference.largest_difference < 10 * rounding_effect(folded, unfused));
}

}  // namespace

TEST_CASE("alike data-parallel replicas fold to one class per pipeline stage", "[sim][folding]") {
  const Step step(small_job({.tensor = 4, .pipeline = 2, .data = 2}), small_cluster(2, 8, 8));
  const FoldedProgram folded = step.folded();
  REQUIRE(folded.ranks.size() == 2);
  REQUIRE(folded.ranks[0].members == 8);
}

TEST_CASE("a straggler splits the classes that it touches and no others exist without it",
          "[sim][folding]") {
  ClusterSpec spec = small_cluster(4, 8, 8);
  const TrainingJob job = small_job({.tensor = 8, .pipeline = 1, .data = 4});
  REQUIRE(Step(job, spec).folded().ranks.size() == 1);
  spec.faults.push_back({.gpu = 5, .rate = 0.5, .link = {}, .bandwidth = {}});
  REQUIRE(Step(job, spec).folded().ranks.size() > 1);
}

TEST_CASE("folded and unfolded timelines agree for every instruction of every rank",
          "[sim][folding]") {
  require_folding_exact(GENERATE(range(0u, 60u)));
}

TEST_CASE("folded and unfolded timelines agree, many more steps", "[sim][folding][slow]") {
  require_folding_exact(GENERATE(range(1000u, 1600u)));
}

TEST_CASE(
    "the analytic time of a folded program is at most the event time, instruction by instruction",
    "[sim][contract]") {
  require_analytic_below_event(GENERATE(range(0u, 60u)));
}

TEST_CASE("the analytic time is at most the event time, many more steps", "[sim][contract][slow]") {
  require_analytic_below_event(GENERATE(range(1000u, 1600u)));
}

TEST_CASE("fused and unfused event timelines agree", "[sim][fusing]") {
  require_fusing_exact(GENERATE(range(0u, 60u)));
}

TEST_CASE("fused and unfused event timelines agree, many more steps", "[sim][fusing][slow]") {
  require_fusing_exact(GENERATE(range(1000u, 1600u)));
}

TEST_CASE("a certified analytic timeline is the event engine's", "[sim][contract]") {
  int certified = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    const Step step = step_of(seed);
    const FoldedProgram folded = step.folded();
    const EngineRun run = run_engine(folded, EngineChoice::Auto);
    if (!run.timeline.certified) continue;
    ++certified;
    REQUIRE(compare(folded, run.timeline, folded, event_timeline(folded)).largest_difference <
            1e-9);
  }
  REQUIRE(certified > 5);  // else the property was never tried
}

TEST_CASE("two rings through one NIC take twice as long as through two", "[sim][network]") {
  // Two data-parallel groups of one GPU a node each: with one NIC a node their flows share 24 GB/s.
  const TrainingJob job = small_job({.tensor = 2, .pipeline = 1, .data = 2, .micro_batches = 1});
  const auto reduction = [&](int nics) {
    ClusterSpec spec = small_cluster(2, 2, nics);
    spec.node.pcie_bandwidth = 100_GB_per_s;  // so that the NICs are the bottleneck
    const Step step(job, spec);
    const FoldedProgram folded = step.folded();
    const EngineRun run = run_engine(folded, EngineChoice::Event);
    Seconds flows;
    for (const Span& span : run.timeline.ranks[0].streams[static_cast<std::size_t>(Stream::Data)]) {
      const Instruction& instruction =
          folded.text(0).stream(Stream::Data)[static_cast<std::size_t>(span.instruction)];
      if (instruction.kind != InstructionKind::Collective) continue;
      const int communicator =
          folded.ranks[0].communicators[static_cast<std::size_t>(instruction.index)];
      const Transfer& transfer = folded.communicators[static_cast<std::size_t>(communicator)]
                                     .transfers[static_cast<std::size_t>(instruction.operation)];
      flows += span.end - span.flow_begin - transfer.latency;
    }
    return flows;
  };
  REQUIRE(reduction(1) / reduction(2) == Approx(2.0).epsilon(1e-6));
}

TEST_CASE("experts spread over one and a half replicas: blocks that meet in a ring are taken apart",
          "[sim][folding]") {
  // 12 ranks, experts over 6: ranks 4 and 5 meet ranks 0 to 3 for experts and 6 and 7 for their
  // matrices, so their blocks cannot run as one, and neither can those of whom they meet.
  TrainingJob job = small_job({.tensor = 4, .data = 3});
  job.model.gated_mlp = true;
  job.model.experts = {.num_experts = 12, .experts_per_token = 2, .ffn_hidden_size = 512};
  job.plan.sequence_parallel = true;
  job.plan.expert_parallel = 6;
  job.plan.expert_tensor_parallel = 1;
  const Step step(job, small_cluster(3, 4, 4));
  const FoldedProgram folded = step.folded();
  const Timeline fused = run_analytic(folded, fuse_all(folded));
  const Timeline apart = run_analytic(folded, fuse_none(folded));
  REQUIRE(fused.end() / apart.end() == Approx(1.0).epsilon(1e-12));
}

TEST_CASE("flows over the same links do not share a limit of their own", "[sim][network]") {
  // Two flows of 1 GB, each limited to 3 GB/s, over one link of 6 GB/s: both end after 1/3 s.
  StepProgram program;
  program.operations = {{CollectiveKind::AllReduce, 1_GB}};
  RankProgram& rank = program.programs.emplace_back();
  for (const auto& [stream, local] : {std::pair(Stream::Compute, 0), std::pair(Stream::Data, 1)}) {
    rank.stream(stream).push_back(
        {.kind = InstructionKind::Collective, .index = local, .operation = 0});
  }
  FoldedProgram folded;
  folded.program = &program;
  folded.ranks = {{.program = 0, .rate = 1, .communicators = {0, 1}, .members = 1}};
  folded.links = {{6_GB_per_s, 0, 1}};
  FoldedCommunicator limited;
  limited.traffic[index(TrafficKind::Ring)] = {{{0, 1}}, 6_GB_per_s};
  limited.transfers = {{Seconds(), 1_GB, 3_GB_per_s, TrafficKind::Ring}};
  limited.arrivals = {{0, 0}};
  folded.communicators = {limited, limited};
  const Timeline timeline = event_timeline(folded);
  REQUIRE(timeline.end().value() == Approx(1.0 / 3.0).epsilon(1e-9));
}
