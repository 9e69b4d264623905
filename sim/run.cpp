#include "sim/run.h"

#include "sim/analytic_engine.h"
#include "sim/contention.h"
#include "sim/forked_run.h"
#include "sim/simgrid/event_engine.h"

namespace stepcast {
namespace {

Timeline run_event(const FoldedProgram& folded, const FusePlan& plan) {
  return run_forked([&] { return run_event_in_this_process(folded, plan); });
}

}  // namespace

EngineRun run_engine(const FoldedProgram& folded, EngineChoice choice) {
  // The analytic timeline is free beside SimGrid's, and shows which blocks cannot stay fused.
  FusePlan plan = fuse_all(folded);
  Timeline analytic = run_analytic(folded, plan);
  if (choice == EngineChoice::Analytic)
    return {std::move(analytic), EngineChoice::Analytic, std::move(plan)};
  FusePlan checked = plan;
  const ContentionCheck expected = check_contention(folded, analytic, checked);
  if (choice == EngineChoice::Auto && expected.flows_fit) {
    analytic.certified = true;
    return {std::move(analytic), EngineChoice::Analytic, std::move(plan)};
  }
  while (true) {
    plan = checked;
    Timeline timeline = run_event(folded, plan);
    if (check_contention(folded, timeline, checked).blocks_fit) {
      return {std::move(timeline), EngineChoice::Event, std::move(plan)};
    }
  }
}

}  // namespace stepcast
