#include "sim/advise.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/input_error.h"
#include "models/open_keys.h"

namespace stepcast {
namespace {

using Settings = std::vector<std::string>;

// A key's changes, the smallest first.
using Knob = std::vector<Settings>;

// A degree changes at the cost of data parallelism.
Settings degree(std::string_view key, int value) {
  return {fmt::format("plan/{}={}", key, value), "plan/data_parallel=null"};
}

Knob smaller_micro_batches(const Scenario& scenario) {
  Knob knob;
  for (int size = scenario.job.batch.micro_batch / 2; size >= 1; size /= 2) {
    knob.push_back({fmt::format("batch/micro_batch={}", size)});
  }
  return knob;
}

Settings recompute_operations(std::string_view list) {
  return {"plan/recompute=selective", fmt::format("plan/recompute_operations=[{}]", list)};
}

// Scores first, then what costs no products, then whole MLPs, then layers.
Knob more_recompute(const Scenario& scenario) {
  Knob knob;
  const ParallelPlan& plan = scenario.job.plan;
  const Transformer& model = scenario.job.model;
  if (plan.recompute == Recompute::Full) return knob;
  if (plan.recompute == Recompute::None) knob.push_back({"plan/recompute=selective"});
  if (!plan.recompute_operations.any()) {
    const bool unfused = scenario.job.attention == AttentionKernel::Unfused;
    std::string list = unfused ? R"("attention_core", )" : "";
    list += R"("norm", "activation")";
    if (model.latent_attention.used()) list += R"(, "mla_up_projection")";
    knob.push_back(recompute_operations(list));
    if (layers_of(model, LayerKind::Dense) > 0) list += R"(, "mlp")";
    if (model.experts.used()) list += R"(, "experts")";
    knob.push_back(recompute_operations(list));
  }
  knob.push_back({"plan/recompute=full"});
  if (plan.recompute_operations.any()) knob.back().push_back("plan/recompute_operations=null");
  return knob;
}

Knob higher_zero_stages(const Scenario& scenario) {
  Knob knob;
  const ParallelPlan& plan = scenario.job.plan;
  if (plan.data_parallel * plan.context_parallel == 1) return knob;
  for (int stage = plan.zero_stage + 1; stage <= 3; ++stage) {
    knob.push_back({fmt::format("plan/zero_stage={}", stage)});
  }
  return knob;
}

Knob larger_degrees(std::string_view key, int now, int data_parallel, int most) {
  Knob knob;
  for (int factor = 2; factor <= data_parallel && now * factor <= most; factor *= 2) {
    knob.push_back(degree(key, now * factor));
  }
  return knob;
}

std::vector<Knob> knobs_of(const Scenario& scenario) {
  const ParallelPlan& plan = scenario.job.plan;
  std::vector<Knob> knobs{
      smaller_micro_batches(scenario),
      more_recompute(scenario),
      higher_zero_stages(scenario),
      larger_degrees("tensor_parallel", plan.tensor_parallel, plan.data_parallel,
                     scenario.cluster.node.gpus),
      larger_degrees("pipeline_parallel", plan.pipeline_parallel, plan.data_parallel,
                     scenario.job.model.num_layers),
      {{R"(plan/offload=["optimizer"])"}, {R"(plan/offload=["optimizer", "activations"])"}}};
  if (plan.tensor_parallel > 1 && !plan.sequence_parallel) {
    knobs.push_back({{"plan/sequence_parallel=true"}});
  }
  if (!scenario.job.runtime.expandable_segments) {
    knobs.push_back({{"runtime/expandable_segments=true"}});
  }
  std::erase_if(knobs, [](const Knob& knob) { return knob.empty(); });
  return knobs;
}

// Some of the knobs, each turned to one of its changes.
struct Turn {
  std::vector<std::size_t> knobs;
  int steps = 0;  // how far together
  Settings settings;
};

Turn operator+(Turn turn, const Turn& other) {
  turn.knobs.insert(turn.knobs.end(), other.knobs.begin(), other.knobs.end());
  turn.settings.insert(turn.settings.end(), other.settings.begin(), other.settings.end());
  turn.steps += other.steps;
  return turn;
}

std::vector<Turn> single_turns(const std::vector<Knob>& knobs) {
  std::vector<Turn> turns;
  for (std::size_t k = 0; k < knobs.size(); ++k) {
    for (std::size_t i = 0; i < knobs[k].size(); ++i) {
      turns.push_back({{k}, static_cast<int>(i) + 1, knobs[k][i]});
    }
  }
  return turns;
}

std::vector<Turn> pairs_of(const std::vector<Turn>& singles) {
  std::vector<Turn> turns;
  for (const Turn& a : singles) {
    for (const Turn& b : singles) {
      if (a.knobs.front() < b.knobs.front()) turns.push_back(a + b);
    }
  }
  return turns;
}

std::vector<Turn> largest_triples(const std::vector<Turn>& singles) {
  std::vector<Turn> largest;
  for (const Turn& turn : singles) {
    if (!largest.empty() && largest.back().knobs == turn.knobs) largest.pop_back();
    largest.push_back(turn);
  }
  std::vector<Turn> turns;
  for (const Turn& pair : pairs_of(largest)) {
    for (const Turn& third : largest) {
      if (pair.knobs.back() < third.knobs.front()) turns.push_back(pair + third);
    }
  }
  return turns;
}

std::optional<Scenario> changed(const nlohmann::json& scenario, const std::string& file,
                                const Settings& settings) {
  try {
    return scenarios_from_json(scenario, file, {.settings = settings}).front();
  } catch (const InputError&) {
    return std::nullopt;  // no valid scenario
  }
}

// As a person sets it: with the data parallelism that is left.
Settings shown(Settings settings, const Scenario& changed) {
  if (std::erase(settings, "plan/data_parallel=null") > 0) {
    settings.push_back(fmt::format("plan/data_parallel={}", changed.job.plan.data_parallel));
  }
  return settings;
}

Scenario with_open_keys(Scenario scenario) {
  scenario.job = with_open_keys(std::move(scenario.job), scenario.profile.framework);
  return scenario;
}

class Adviser {
 public:
  Adviser(const Scenario& scenario, const PredictMany& predict_many)
      : json_(scenario_to_json(with_open_keys(scenario))),
        file_(scenario.file),
        predict_many_(predict_many) {}

  // Adds the smallest turns of the same knobs that fit.
  void try_all(const std::vector<Turn>& turns, AdviceReport& advice) const {
    std::vector<const Turn*> valid;
    std::vector<Scenario> scenarios;
    for (const Turn& turn : turns) {
      std::optional<Scenario> scenario = changed(json_, file_, turn.settings);
      if (!scenario) continue;
      valid.push_back(&turn);
      scenarios.push_back(std::move(*scenario));
    }
    std::vector<PredictionOutcome> outcomes = predict_many_(scenarios);
    advice.tried += static_cast<int>(outcomes.size());
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      if (outcomes[i].report && outcomes[i].report->fits) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return valid[a]->steps < valid[b]->steps;
    });
    std::vector<std::vector<std::size_t>> answered;
    for (const std::size_t i : order) {
      const Turn& turn = *valid[i];
      if (std::count(answered.begin(), answered.end(), turn.knobs) > 0) continue;
      answered.push_back(turn.knobs);
      advice.ways.push_back({shown(turn.settings, scenarios[i]), std::move(*outcomes[i].report)});
    }
  }

 private:
  nlohmann::json json_;
  std::string file_;
  const PredictMany& predict_many_;
};

}  // namespace

AdviceReport advise(const Scenario& scenario, const StepReport& as_it_is,
                    const PredictMany& predict_many) {
  AdviceReport advice;
  advice.fits_already = as_it_is.fits;
  if (advice.fits_already) return advice;
  const Adviser adviser(scenario, predict_many);
  const std::vector<Turn> singles = single_turns(knobs_of(scenario));
  adviser.try_all(singles, advice);
  if (advice.ways.empty()) adviser.try_all(pairs_of(singles), advice);
  if (advice.ways.empty()) adviser.try_all(largest_triples(singles), advice);
  std::stable_sort(advice.ways.begin(), advice.ways.end(), [](const Advice& a, const Advice& b) {
    return a.report.tokens_per_s > b.report.tokens_per_s;
  });
  return advice;
}

}  // namespace stepcast
