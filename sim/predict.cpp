#include "sim/predict.h"

#include <chrono>

#include "models/training_step.h"
#include "sim/replicas.h"
#include "sim/summarize.h"

namespace stepcast {

StepReport predict(const Scenario& scenario, const PredictOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const PlacedReplicas placed = fewest_replicas(scenario.job.plan, scenario.cluster);
  const Cluster cluster(placed.cluster);
  const Placement placement = place_ranks(rank_grid(placed.plan), cluster, placed.replicas);
  const StepProgram program =
      training_step(scenario.job, scenario.profile, scenario.device(), placement, cluster);
  const FoldedProgram folded = fold(program, placement, cluster, scenario.profile.network);
  const EngineRun run = run_engine(folded, options.engine);
  StepReport report = summarize(run, folded, scenario);
  report.engine.wall_time =
      Seconds(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return report;
}

}  // namespace stepcast
