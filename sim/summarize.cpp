#include "sim/summarize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/unit_text.h"
#include "models/device.h"
#include "models/hardware_flop.h"
#include "sim/bottleneck.h"
#include "sim/breakdown.h"
#include "sim/calibrated_interval.h"
#include "sim/claims.h"
#include "sim/memory_timeline.h"
#include "sim/step_interval.h"

namespace stepcast {
namespace {

constexpr int num_timeline_points = 200;

void fill_rates(StepReport& report, const Scenario& scenario) {
  const TrainingJob& job = scenario.job;
  const double sequences = job.batch.global_batch;
  const double step = report.step_time.value();
  const FlopPerSecond peak = peak_rate(job.precision, scenario.cluster.node.gpu);
  report.tokens_per_s = sequences * job.batch.sequence_length / step;
  report.tokens_per_s_per_gpu = report.tokens_per_s / report.gpus;
  const Flop model = model_flop(job.model, job.batch.sequence_length) * sequences;
  report.model_flop_rate_per_gpu = model / report.step_time / report.gpus;
  report.mfu = report.model_flop_rate_per_gpu / peak;
  report.hfu = hardware_flop(job, scenario.profile.framework) * sequences / report.step_time /
               report.gpus / peak;
}

std::string stall_warning(const StallRisk& stall) {
  const std::string time = to_text(stall.time());
  const int percent = static_cast<int>(std::lround(100 * stall.chance));
  if (stall.expected()) {
    return fmt::format(
        "{} % of runs like this one stand still over EFA, of unknown cause: {} of "
        "the step are messages between stages that hold both their ends",
        percent, time);
  }
  return fmt::format(
      "{} % of runs like this one stand still over EFA, of unknown cause, and take "
      "{} longer a step",
      percent, time);
}

void fill_interval(StepReport& report, const Scenario& scenario) {
  report.stall = stall_risk(scenario.job, scenario.profile.framework.stalls, scenario.cluster);
  constexpr double kWorthSaying = 0.01;
  if (report.stall.chance > kWorthSaying) report.warnings.push_back(stall_warning(report.stall));
  const double spread =
      scenario.calibration ? calibrated_spread(scenario) : step_time_spread(report, scenario);
  const StepInterval interval = step_interval(report, spread);
  report.step_time_low = interval.low;
  report.step_time_high = interval.high;
}

int first_rank_of_stage(int stage, const FoldedProgram& folded) {
  int first = std::numeric_limits<int>::max();
  for (const FoldedRank& rank : folded.ranks) {
    if (rank.program == stage) first = std::min(first, rank.representative);
  }
  return first;
}

// What offload keeps in the memory of a node.
void fill_host_memory(StepReport& report, const ClusterSpec& cluster) {
  MemoryReport& memory = report.memory;
  const int ranks = cluster.gpus_per_node > 0 ? cluster.gpus_per_node : cluster.node.gpus;
  memory.host_capacity = cluster.node.host_memory;
  for (const StageMemory& stage : memory.stages) {
    memory.host_peak = std::max(memory.host_peak, ranks * stage.host);
  }
  if (memory.host_peak <= memory.host_capacity) return;
  report.fits = false;
  report.warnings.push_back(fmt::format("offload needs {} of a node's memory, which has {}",
                                        to_text(memory.host_peak), to_text(memory.host_capacity)));
}

void fill_memory(StepReport& report, const EngineRun& run, const FoldedProgram& folded,
                 const Scenario& scenario) {
  const FrameworkProfile& framework = scenario.profile.framework;
  report.memory.capacity = scenario.cluster.node.gpu.memory;
  const double spread = framework.memory.spread.value;
  report.memory.stages =
      stage_memory(folded, run.timeline,
                   {.expandable_segments = scenario.job.runtime.expandable_segments,
                    .capacity = report.memory.capacity});
  for (const StageMemory& stage : report.memory.stages) {
    if (stage.device > report.memory.peak().device) report.memory.peak_stage = stage.stage;
  }
  report.memory.peak_rank = first_rank_of_stage(report.memory.peak_stage, folded);
  const MemoryInterval interval = device_interval(report.memory.peak(), spread);
  report.memory.low = interval.low;
  report.memory.high = interval.high;
  report.memory.timeline =
      memory_over_time(folded, run.timeline, report.memory.peak_stage, num_timeline_points);
  for (const StageMemory& stage : report.memory.stages) {  // fragments can make another one fullest
    report.oom_probability = std::max(
        report.oom_probability, out_of_memory_probability(stage, report.memory.capacity, spread));
  }
  report.fits = report.oom_probability < 0.5;
  if (!report.fits) {
    report.warnings.push_back(
        fmt::format("stage {} needs more memory than a GPU has", report.memory.peak_stage));
  }
}

std::optional<CostReport> cost_of(const StepReport& report, const Scenario& scenario) {
  if (!scenario.price) return std::nullopt;
  CostReport cost;
  cost.usd_per_hour = usd_per_hour(*scenario.price, scenario.cluster.nodes);
  cost.usd_per_million_tokens = usd_per_million_tokens(cost.usd_per_hour, report.tokens_per_s);
  if (!scenario.training_tokens) return cost;
  const Seconds time = training_time(*scenario.training_tokens, report.tokens_per_s);
  cost.training_hours = time.value() / 3600.0;
  cost.training_usd = training_usd(cost.usd_per_hour, time);
  const int in_use = report.gpus / scenario.cluster.nodes;
  cost.energy_kwh =
      energy_kwh(training_power(scenario.cluster.node, in_use, scenario.cluster.nodes), time);
  return cost;
}

int num_ranks(const FoldedProgram& folded) {
  int ranks = 0;
  for (const FoldedRank& rank : folded.ranks) ranks += rank.members;
  return ranks;
}

EngineReport engine_report(const EngineRun& run, const FoldedProgram& folded) {
  EngineReport engine;
  engine.name = run.engine == EngineChoice::Event ? "event" : "analytic";
  engine.certified = run.timeline.certified;
  engine.gpus = num_ranks(folded);
  engine.rank_classes = static_cast<int>(folded.ranks.size());
  engine.activities = run.timeline.activities;
  return engine;
}

}  // namespace

StepReport summarize(const EngineRun& run, const FoldedProgram& folded, const Scenario& scenario) {
  StepReport report;
  report.title = scenario.title;
  report.gpus = num_ranks(folded);
  report.step_time = run.timeline.end();
  const Breakdown breakdown = break_down(folded, run.timeline);
  report.breakdown = breakdown.parts;
  report.critical_stage = folded.ranks[static_cast<std::size_t>(breakdown.rank_class)].program;
  report.bubble_fraction =
      breakdown.parts[static_cast<std::size_t>(Activity::PipelineBubble)] / report.step_time;
  fill_rates(report, scenario);
  fill_interval(report, scenario);
  fill_memory(report, run, folded, scenario);
  fill_host_memory(report, scenario.cluster);
  report.cost = cost_of(report, scenario);
  report.engine = engine_report(run, folded);
  report.claims = check_claims(scenario, report);
  report.bottleneck = bottleneck_sentence(report);
  return report;
}

}  // namespace stepcast
