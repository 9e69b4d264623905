#include "sim/breakdown.h"

#include <catch2/catch.hpp>
#include <numeric>

#include "sim/run.h"
#include "tests/support/generated_steps.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

Breakdown breakdown_of(const TrainingJob& job, const ClusterSpec& cluster, EngineChoice engine) {
  const Step step(job, cluster);
  const FoldedProgram folded = step.folded();
  return break_down(folded, run_engine(folded, engine).timeline);
}

double part(const Breakdown& breakdown, Activity activity) {
  return breakdown.parts[static_cast<std::size_t>(activity)].value();
}

}  // namespace

TEST_CASE("the parts of a step add up to it, and none is negative", "[sim]") {
  const auto seed = GENERATE(range(0u, 40u));
  CAPTURE(seed);
  const GeneratedStep generated = generate_step(seed);
  const Step step(generated.job, generated.cluster, generated.profile);
  const FoldedProgram folded = step.folded();
  const Timeline timeline = run_engine(folded, EngineChoice::Event).timeline;
  const Breakdown breakdown = break_down(folded, timeline);
  const Seconds sum = std::accumulate(breakdown.parts.begin(), breakdown.parts.end(), Seconds());
  REQUIRE(sum / timeline.end() == Approx(1.0).epsilon(1e-12));
  for (const Seconds p : breakdown.parts) REQUIRE(p / timeline.end() > -1e-12);
}

TEST_CASE("one GPU computes and communicates nothing", "[sim]") {
  const Breakdown alone = breakdown_of(small_job({}), small_cluster(1, 1, 1), EngineChoice::Event);
  REQUIRE(part(alone, Activity::Compute) > 0);
  REQUIRE(part(alone, Activity::Optimizer) > 0);
  REQUIRE(part(alone, Activity::TensorCommunication) == 0);
  REQUIRE(part(alone, Activity::PipelineBubble) == 0);
  REQUIRE(part(alone, Activity::DataCommunication) == 0);
}

TEST_CASE("each degree of parallelism shows in its own part", "[sim]") {
  const ClusterSpec node = small_cluster(1, 2, 1);
  const EngineChoice engine = GENERATE(EngineChoice::Event, EngineChoice::Analytic);
  const Breakdown tensor = breakdown_of(small_job({.tensor = 2}), node, engine);
  REQUIRE(part(tensor, Activity::TensorCommunication) > 0);
  REQUIRE(part(tensor, Activity::PipelineBubble) == 0);
  const Breakdown pipeline = breakdown_of(small_job({.pipeline = 2}), node, engine);
  REQUIRE(part(pipeline, Activity::PipelineBubble) > 0);
  REQUIRE(part(pipeline, Activity::DataCommunication) == 0);
  const Breakdown data = breakdown_of(small_job({.data = 2}), node, engine);
  REQUIRE(part(data, Activity::DataCommunication) > 0);
  REQUIRE(part(data, Activity::TensorCommunication) == 0);
}
