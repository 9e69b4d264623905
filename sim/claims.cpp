#include "sim/claims.h"

#include <algorithm>
#include <limits>

#include "base/input_error.h"
#include "models/memory.h"
#include "models/price.h"
#include "models/transformer.h"
#include "sim/memory_timeline.h"

namespace stepcast {
namespace {

constexpr double kSecondsPerHour = 3600;

// 16-bit weights with the optimizer's fp32 state, of the whole model and without ZeRO's division.
Bytes weights_and_optimizer(const Scenario& scenario) {
  TrainingJob job = scenario.job;
  job.plan = ParallelPlan();
  job.plan.data_parallel = 1;
  const Device device = scenario.device();
  const WorkContext whole{job, scenario.profile.framework, device};
  const ModelState state = model_state(
      share_parameters({.layers = job.model.num_layers, .embedding = true, .head = true}, whole),
      whole);
  return state.weights + state.optimizer;
}

Flop forward_flop(const Scenario& scenario, double tokens) {
  const int sequence = scenario.job.batch.sequence_length;
  return model_flop(scenario.job.model, sequence) / 3.0 * (tokens / sequence);
}

}  // namespace

Bytes measured_peak(const MemoryReport& memory, const Figures& measured) {
  return peak_of_kind(memory, measured.memory_kind, measured.measured_place());
}

Bytes peak_of_kind(const MemoryReport& memory, MemoryKind kind, MemoryPlace place) {
  if (place == MemoryPlace::FirstStage) return of_kind(memory.stages.front(), kind);
  Bytes peak;
  for (const StageMemory& stage : memory.stages) peak = std::max(peak, of_kind(stage, kind));
  return peak;
}

std::vector<ClaimCheck> check_claims(const Scenario& scenario, const StepReport& report) {
  std::vector<ClaimCheck> checks;
  if (!scenario.claimed) return checks;
  const Figures& claimed = *scenario.claimed;
  const auto check = [&](const char* key, double figure, double predicted) {
    checks.push_back({key, figure, predicted});
  };
  if (claimed.step_time) check("step_time", claimed.step_time->value(), report.step_time.value());
  if (claimed.tokens_per_s) check("tokens_per_s", *claimed.tokens_per_s, report.tokens_per_s);
  if (claimed.tokens_per_s_per_gpu) {
    check("tokens_per_s_per_gpu", *claimed.tokens_per_s_per_gpu, report.tokens_per_s_per_gpu);
  }
  if (claimed.peak_memory) {
    check("peak_memory", claimed.peak_memory->value(),
          peak_of_kind(report.memory, claimed.memory_kind,
                       claimed.memory_of.value_or(MemoryPlace::FullestStage))
              .value());
  }
  if (claimed.usd_per_hour && report.cost) {
    check("usd_per_hour", *claimed.usd_per_hour, report.cost->usd_per_hour);
  }
  if (claimed.training_gpu_hours && scenario.training_tokens) {
    const Seconds time = training_time(*scenario.training_tokens, report.tokens_per_s);
    check("training_gpu_hours", *claimed.training_gpu_hours,
          report.gpus * time.value() / kSecondsPerHour);
  }
  if (claimed.forward_flop && claimed.forward_flop_tokens) {
    check("forward_flop", claimed.forward_flop->value(),
          forward_flop(scenario, *claimed.forward_flop_tokens).value());
  }
  if (claimed.weights_and_optimizer_memory) {
    check("weights_and_optimizer_memory", claimed.weights_and_optimizer_memory->value(),
          weights_and_optimizer(scenario).value());
  }
  return checks;
}

std::vector<ClaimCheck> check_comparison(const ClaimedComparison& claimed, const StepReport& report,
                                         const StepReport& without) {
  std::vector<ClaimCheck> checks;
  const auto check = [&](const char* key, const std::optional<ClaimedRange>& range,
                         double predicted) {
    if (!range) return;
    const double to = range->to.value_or(std::numeric_limits<double>::infinity());
    checks.push_back({key, range->from, predicted, to});
  };
  const auto optimizer = [](const StepReport& r) {
    return r.memory.peak().parts[static_cast<std::size_t>(MemoryPart::Optimizer)];
  };
  const auto saved = [](Bytes with, Bytes before) {
    return before > Bytes() ? 1.0 - with / before : 0.0;
  };
  check("speed_up", claimed.speed_up, without.step_time / report.step_time);
  check("memory_saved", claimed.memory_saved, saved(report.memory_peak(), without.memory_peak()));
  check("optimizer_memory_saved", claimed.optimizer_memory_saved,
        saved(optimizer(report), optimizer(without)));
  return checks;
}

std::vector<std::optional<std::size_t>> compared_runs(std::span<const Scenario> scenarios) {
  std::vector<std::optional<std::size_t>> others(scenarios.size());
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    const Scenario& scenario = scenarios[i];
    if (!scenario.claimed || !scenario.claimed->compared) continue;
    const std::string& title = scenario.claimed->compared->with;
    const auto other = std::find_if(scenarios.begin(), scenarios.end(), [&](const Scenario& s) {
      return s.file == scenario.file && s.title == title;
    });
    if (other == scenarios.end()) {
      throw InputError({scenario.file, scenario.pointer + "/claimed/compared/with"},
                       "no run of this file has the title \"" + title + "\"",
                       "name the run without the technique by its title");
    }
    others[i] = static_cast<std::size_t>(other - scenarios.begin());
  }
  return others;
}

}  // namespace stepcast
