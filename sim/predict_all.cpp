#include "sim/predict_all.h"

#include <algorithm>

#include "base/contract.h"
#include "sim/crew.h"
#include "sim/wire.h"

namespace stepcast {

// The bindings name every member, so that one more does not compile until it is passed too.
template <class Wire>
void pass(Wire& wire, EngineReport& report) {
  auto& [name, certified, gpus, rank_classes, activities, wall_time] = report;
  pass(wire, name);
  pass(wire, certified);
  pass(wire, gpus);
  pass(wire, rank_classes);
  pass(wire, activities);
  pass(wire, wall_time);
}

template <class Wire>
void pass(Wire& wire, MemoryReport& report) {
  auto& [capacity, peak_stage, peak_rank, stages, low, high, timeline, host_capacity, host_peak] =
      report;
  pass(wire, capacity);
  pass(wire, peak_stage);
  pass(wire, peak_rank);
  pass(wire, stages);
  pass(wire, low);
  pass(wire, high);
  pass(wire, timeline);
  pass(wire, host_capacity);
  pass(wire, host_peak);
}

template <class Wire>
void pass(Wire& wire, ClaimCheck& check) {
  auto& [claim, claimed, predicted, claimed_to] = check;
  pass(wire, claim);
  pass(wire, claimed);
  pass(wire, predicted);
  pass(wire, claimed_to);
}

template <class Wire>
void pass(Wire& wire, LinkLoad& load) {
  auto& [name, alike, bandwidth, carried] = load;
  pass(wire, name);
  pass(wire, alike);
  pass(wire, bandwidth);
  pass(wire, carried);
}

template <class Wire>
void pass(Wire& wire, StepReport& report) {
  auto& [title, gpus, step_time, step_time_low, step_time_high, stall, tokens_per_s,
         tokens_per_s_per_gpu, model_flop_rate_per_gpu, mfu, hfu, breakdown, critical_stage,
         bubble_fraction, memory, fits, oom_probability, cost, engine, claims, warnings, bottleneck,
         links] = report;
  const auto each = [&wire](auto&... members) { (pass(wire, members), ...); };
  each(title, gpus, step_time, step_time_low, step_time_high, stall, tokens_per_s,
       tokens_per_s_per_gpu);
  each(model_flop_rate_per_gpu, mfu, hfu, breakdown, critical_stage, bubble_fraction, memory);
  each(fits, oom_probability, cost, engine, claims, warnings, bottleneck, links);
}

template <class Wire>
void pass(Wire& wire, PredictionOutcome& outcome) {
  pass(wire, outcome.report);
  pass(wire, outcome.error);
}

namespace {

PredictionOutcome outcome_of(const Scenario& scenario, const Predictor& predictor) {
  try {
    return {predictor(scenario), {}};
  } catch (const std::exception& fault) {
    return {std::nullopt, fault.what()};
  }
}

}  // namespace

std::vector<PredictionOutcome> predict_all(std::span<const Scenario> scenarios,
                                           const Predictor& predictor, int jobs,
                                           const DoneNote& progress) {
  STEPCAST_REQUIRES(jobs >= 1);
  std::vector<PredictionOutcome> outcomes(scenarios.size());
  Crew crew(static_cast<int>(std::min(scenarios.size(), static_cast<std::size_t>(jobs))),
            [&](std::string_view task) {
              return to_bytes(outcome_of(scenarios[from_bytes<std::size_t>(task)], predictor));
            });
  std::size_t next = 0;
  for (std::size_t done = 0; done < scenarios.size();) {
    for (; crew.idle() > 0 && next < scenarios.size(); ++next) crew.hand_out(next, to_bytes(next));
    for (CrewReport& report : crew.wait(-1)) {
      outcomes[report.task] = report.answer ? from_bytes<PredictionOutcome>(*report.answer)
                                            : PredictionOutcome{std::nullopt, report.failure};
      progress(++done);
    }
  }
  return outcomes;
}

std::vector<PredictionOutcome> predict_all(std::span<const Scenario> scenarios,
                                           const PredictOptions& options, int jobs,
                                           const DoneNote& progress) {
  const Predictor predictor = [&](const Scenario& scenario) { return predict(scenario, options); };
  return predict_all(scenarios, predictor, jobs, progress);
}

}  // namespace stepcast
