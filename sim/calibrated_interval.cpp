#include "sim/calibrated_interval.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/contract.h"
#include "base/unit_text.h"
#include "models/profile_constants.h"
#include "scenarios/calibration_record.h"
#include "sim/search/step_clock.h"
#include "sim/step_interval.h"

namespace stepcast {
namespace {

double stepped(const ConstantRef& constant, const CalibratedConstant& known, double spreads) {
  if (known.additive) return std::max(0.0, constant.value() + known.prior_spread * spreads);
  return constant.value() * std::exp(known.prior_spread * spreads);
}

// d log(step time) over one spread of the prior of each constant.
std::map<std::string, double> sensitivities(const Scenario& scenario,
                                            const CalibrationRecord& record) {
  constexpr double kStep = 0.1;
  Profile profile = scenario.profile;
  StepClock clock(scenario);
  const double here = clock.step_time(profile).value();
  std::map<std::string, double> all;
  for (const ConstantRef& constant : constants_of(profile)) {
    for (const CalibratedConstant& known : record.constants) {
      if (known.path != constant.path()) continue;
      const double value = constant.value();
      constant.set_value(stepped(constant, known, kStep));
      all[known.path] = std::log(clock.step_time(profile).value() / here) / kStep;
      constant.set_value(value);
    }
  }
  return all;
}

// Paths that begin with these were not laid over the scenario's profile.
bool left_out(const Scenario& scenario, const std::string& path) {
  return std::any_of(scenario.calibration_notes.begin(), scenario.calibration_notes.end(),
                     [&](const std::string& note) {
                       return note.find("on " + path.substr(0, path.find('/')) + " ") !=
                              std::string::npos;
                     });
}

template <class Get>
int largest(const std::vector<MeasuredLayout>& layouts, Get get) {
  int most = 0;
  for (const MeasuredLayout& layout : layouts) most = std::max(most, get(layout));
  return most;
}

void note_layout(std::vector<std::string>& notes, const Scenario& scenario,
                 const std::vector<MeasuredLayout>& layouts) {
  const ParallelPlan& plan = scenario.job.plan;
  const auto same = [&](const MeasuredLayout& layout) {
    return layout.tensor_parallel == plan.tensor_parallel &&
           layout.pipeline_parallel == plan.pipeline_parallel &&
           layout.context_parallel == plan.context_parallel && layout.zero_stage == plan.zero_stage;
  };
  if (std::any_of(layouts.begin(), layouts.end(), same)) return;
  notes.push_back(fmt::format(
      "extrapolates: no step was measured with tensor {} x pipeline {} x context {}, "
      "ZeRO {}",
      plan.tensor_parallel, plan.pipeline_parallel, plan.context_parallel, plan.zero_stage));
}

void note_more(std::vector<std::string>& notes, std::string_view what, std::int64_t here,
               int measured) {
  if (measured == 0 || here <= measured) return;
  notes.push_back(fmt::format("extrapolates: {} {}, {:.3g} times the most that was measured ({})",
                              here, what, static_cast<double>(here) / static_cast<double>(measured),
                              measured));
}

void note_messages(std::vector<std::string>& notes, const StepProgram& program,
                   const std::vector<MeasuredCollectives>& measured) {
  if (measured.empty()) return;
  Bytes largest, most;
  for (const Operation& operation : program.operations) {
    largest = std::max(largest, operation.message);
  }
  for (const MeasuredCollectives& collectives : measured) {
    most = std::max(most, collectives.largest);
  }
  if (largest <= most) return;
  notes.push_back(fmt::format("extrapolates: messages of up to {}, the largest measured is {}",
                              to_text(largest), to_text(most)));
}

// Constants that an interval without a calibration counts (step_interval.h).
bool counts_unmoved(const std::string& path) {
  return path == "gpu/sustained_clock" || path == "framework/host/layer_forward" ||
         path == "network/latency_factor";
}

}  // namespace

double calibrated_spread(const Scenario& scenario) {
  STEPCAST_REQUIRES(scenario.calibration != nullptr);
  const CalibrationRecord& record = *scenario.calibration;
  const std::map<std::string, double> slope = sensitivities(scenario, record);
  std::map<std::string, double> kept;
  const bool of_steps = !record.layouts.empty();
  double variance = 0.0;
  for (const CalibratedConstant& constant : record.constants) {
    const auto found = slope.find(constant.path);
    if (found == slope.end()) continue;
    if (constant.prior_kept == 1.0 && (of_steps || !counts_unmoved(constant.path))) continue;
    kept[constant.path] = left_out(scenario, constant.path) ? 1.0 : constant.prior_kept;
    variance += std::pow(found->second * kept[constant.path], 2);
  }
  for (const ConstantCorrelation& pair : record.correlations) {
    if (kept.count(pair.of) == 0 || kept.count(pair.with) == 0) continue;
    if (left_out(scenario, pair.of) || left_out(scenario, pair.with)) continue;
    variance += 2 * pair.correlation * slope.at(pair.of) * kept.at(pair.of) * slope.at(pair.with) *
                kept.at(pair.with);
  }
  const double found = of_steps ? record.step_noise / run_noise(scenario.profile, 1) : 1.0;
  const double noise = found * run_noise(scenario.profile, scenario.cluster.nodes);
  return std::sqrt(noise * noise + std::max(0.0, variance));
}

std::vector<std::string> extrapolations(const Scenario& scenario, const StepProgram& program) {
  if (!scenario.calibration) return {};
  const CalibrationRecord& record = *scenario.calibration;
  std::vector<std::string> notes = scenario.calibration_notes;
  int nodes = 0;
  for (const MeasuredCollectives& measured : record.collectives) {
    nodes = std::max(nodes, measured.nodes);
  }
  nodes = std::max(nodes, largest(record.layouts, [](const auto& l) { return l.nodes; }));
  note_more(notes, "nodes", scenario.cluster.nodes, nodes);
  note_messages(notes, program, record.collectives);
  if (record.layouts.empty()) return notes;
  note_layout(notes, scenario, record.layouts);
  note_more(notes, "tokens of a sequence", scenario.job.batch.sequence_length,
            largest(record.layouts, [](const auto& l) { return l.sequence_length; }));
  note_more(notes, "of hidden size", scenario.job.model.hidden_size,
            largest(record.layouts, [](const auto& l) { return l.hidden_size; }));
  return notes;
}

}  // namespace stepcast
