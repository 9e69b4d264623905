// Offload where hosts are shared: closed forms of the folded flows, and the answer of a node that
// is too small.
#include <catch2/catch.hpp>

#include "models/step_groups.h"
#include "sim/analytic_engine.h"
#include "sim/folding.h"
#include "sim/forked_run.h"
#include "sim/fusing.h"
#include "sim/predict.h"
#include "sim/simgrid/event_engine.h"
#include "tests/support/small_scenario.h"
#include "tests/support/small_steps.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

BytesPerSecond host_pace(const ClusterSpec& spec, Group group) {
  TrainingJob job = small_job({.data = spec.node.gpus});
  job.plan.offload.optimizer = true;
  const Step step(job, spec);
  const FoldedProgram folded = step.folded();
  const int communicator = folded.ranks[0].communicators[static_cast<std::size_t>(group)];
  return folded.communicators[static_cast<std::size_t>(communicator)]
      .traffic[index(TrafficKind::Ring)]
      .pace;
}

}  // namespace

TEST_CASE("GPUs that share a PCIe switch share its way to the host", "[sim]") {
  ClusterSpec spec = small_cluster(1, 4, 1);
  REQUIRE(host_pace(spec, Group::ToHost) == 24_GB_per_s);
  spec.node.gpus_per_pcie_switch = 2;
  REQUIRE(host_pace(spec, Group::ToHost).value() == Approx(12e9));
  REQUIRE(host_pace(spec, Group::FromHost).value() == Approx(12e9));
}

TEST_CASE("ranks of a socket share its memory for the optimizer", "[sim]") {
  // Two sockets of 150 GB/s, two GPUs on each.
  REQUIRE(host_pace(small_cluster(1, 4, 1), Group::HostMemory).value() == Approx(75e9));
}

TEST_CASE("the host's optimizer takes what its memory gives", "[sim]") {
  TrainingJob job = small_job({.micro_batches = 1});
  job.plan.offload.optimizer = true;
  Profile profile = plain_profile();
  profile.framework.communication.gradient_bucket = Bytes();  // one tile
  const Step step(job, small_cluster(1, 1, 1), profile);
  const FoldedProgram folded = step.folded();
  const Timeline timeline =
      run_forked([&] { return run_event_in_this_process(folded, fuse_none(folded)); });
  const auto& update = timeline.ranks[0].streams[static_cast<std::size_t>(Stream::HostCompute)];
  const auto& instructions = folded.text(0).stream(Stream::HostCompute);
  Seconds busy;
  for (const Span& span : update) {
    const Instruction& what = instructions[static_cast<std::size_t>(span.instruction)];
    if (what.kind == InstructionKind::Collective) busy += span.end - span.begin;
  }
  // 166,216,704 weights of 30 bytes over 0.7 of 150 GB/s; nothing else uses the memory then.
  REQUIRE(busy.value() == Approx(166'216'704.0 * 30 / 0.7 / 150e9).epsilon(1e-6));
}

TEST_CASE("offload that needs more than a node's memory does not fit", "[sim]") {
  const std::string patch = R"({"plan": {"tensor_parallel": 1, "data_parallel": 8, "zero_stage": 1,
                                         "offload": "optimizer"}})";
  Scenario scenario = read_text(small_scenario(patch), {});
  const StepReport roomy = predict(scenario, {.engine = EngineChoice::Analytic});
  REQUIRE(roomy.fits);
  REQUIRE(roomy.memory.host_peak > Bytes());
  scenario.cluster.node.host_memory = roomy.memory.host_peak * 0.99;
  const StepReport tight = predict(scenario, {.engine = EngineChoice::Analytic});
  REQUIRE_FALSE(tight.fits);
  REQUIRE(tight.warnings.size() == 1);
  REQUIRE(tight.warnings[0].find("of a node's memory, which has") != std::string::npos);
}
