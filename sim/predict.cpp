#include "sim/predict.h"

#include <chrono>

#include "models/training_step.h"
#include "sim/calibrated_interval.h"
#include "sim/link_loads.h"
#include "sim/replicas.h"
#include "sim/summarize.h"

namespace stepcast {

namespace {

std::vector<std::string> link_names(const FoldedProgram& folded, const Cluster& cluster) {
  std::vector<std::string> names;
  for (const FoldedLink& link : folded.links) {
    names.push_back(cluster.links()[static_cast<std::size_t>(link.representative)].name);
  }
  return names;
}

}  // namespace

SimulatedStep run_step(StepProgram program, const Placement& placement, const Cluster& cluster,
                       const NetworkProfile& network, EngineChoice engine) {
  auto kept = std::make_unique<const StepProgram>(std::move(program));
  FoldedProgram folded = fold(*kept, placement, cluster, network);
  EngineRun run = run_engine(folded, engine);
  std::vector<std::string> names = link_names(folded, cluster);
  return {std::move(kept), std::move(folded), std::move(run), std::move(names)};
}

SimulatedStep simulate(const Scenario& scenario, const PredictOptions& options) {
  const PlacedReplicas placed = fewest_replicas(scenario.job.plan, scenario.cluster);
  const Cluster cluster(placed.cluster);
  const Placement placement = place_ranks(rank_grid(placed.plan), cluster, placed.replicas);
  return run_step(
      training_step(scenario.job, scenario.profile, scenario.device(), placement, cluster),
      placement, cluster, scenario.profile.network, options.engine);
}

StepReport predict(const Scenario& scenario, const PredictOptions& options) {
  return predict(scenario, options, [](const auto&...) {});
}

StepReport predict(const Scenario& scenario, const PredictOptions& options,
                   const StepWatcher& watch) {
  const auto start = std::chrono::steady_clock::now();
  const SimulatedStep step = simulate(scenario, options);
  StepReport report = summarize(step.run, step.folded, scenario);
  for (std::string& note : extrapolations(scenario, *step.program)) {
    report.warnings.push_back(std::move(note));
  }
  report.engine.wall_time =
      Seconds(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  watch(scenario, step, report);
  if (options.links) report.links = link_loads(scenario);
  return report;
}

}  // namespace stepcast
