#include "sim/search/layout_space.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/contract.h"
#include "models/open_keys.h"
#include "scenarios/plan_check.h"

namespace stepcast {

namespace {

using nlohmann::json;

constexpr std::uint16_t unset = 0xFFFF;  // the dimension changes nothing: its default holds

const InputPlace no_place{};  // values were checked when they were read

/// The scenario's job with the searched keys at their defaults.
TrainingJob fresh_job(const Scenario& scenario, const std::vector<SearchDimension>& dimensions) {
  TrainingJob job = with_open_keys(scenario.job, scenario.profile.framework);
  ParallelPlan written = job.plan;
  json plan = write_fields([&](Fields& f) { describe(f, written); }, false);
  for (const SearchDimension& dimension : dimensions) plan.erase(dimension.key);
  job.plan = ParallelPlan();
  for (const auto& [key, value] : plan.items()) set_layout_key(job, key, value, no_place);
  return job;
}

std::vector<json> divisors(int number) {
  std::vector<json> found;
  for (int divisor = 1; divisor <= number; ++divisor) {
    if (number % divisor == 0) found.emplace_back(divisor);
  }
  return found;
}

/// What a count of the completed job divides; nothing where there is nothing to divide.
int divided_by(const std::string& key, const TrainingJob& job, int gpus) {
  const ParallelPlan& plan = job.plan;
  if (key == "virtual_pipeline") return job.model.num_layers / plan.pipeline_parallel;
  if (key == "recompute_num_layers") {
    return job.model.num_layers / (plan.pipeline_parallel * plan.virtual_pipeline);
  }
  if (key != "micro_batch") return gpus;
  return plan.data_parallel > 0 ? job.batch.global_batch / plan.data_parallel : 0;
}

bool counts_layers(const ParallelPlan& plan) {
  return plan.recompute_method == RecomputeMethod::Uniform ||
         plan.recompute_method == RecomputeMethod::Block;
}

/// Whether leaving the key out is a choice beside its words: no word means the same.
bool may_be_left_out(const std::string& key) {
  return key == "recompute_method" || key == "gradient_compression";
}

/// Segments of one layer and all layers of a chunk again are what no method means.
std::vector<json> layers_to_count(const ParallelPlan& plan, std::vector<json> divisors) {
  if (divisors.empty()) return divisors;
  if (plan.recompute_method == RecomputeMethod::Uniform) {
    divisors.erase(divisors.begin());
  } else {
    divisors.pop_back();
  }
  return divisors;
}

bool is_degree(const std::string& key) {
  return key.ends_with("_parallel") && key != "sequence_parallel";
}

/// Keys whose faults come from what is chosen before them in the order of a search.
bool is_final(const std::string& key) {
  return key == "micro_batch" || key == "zero_stage" || key == "schedule";
}

/// Whether all are searched by default: others, such as `global_batch`, come last and may mend a
/// fault of any.
bool are_in_default_order(const std::vector<SearchDimension>& dimensions) {
  const std::vector<SearchDimension> known = default_dimensions();
  return std::all_of(dimensions.begin(), dimensions.end(), [&](const SearchDimension& dimension) {
    return std::any_of(known.begin(), known.end(),
                       [&](const SearchDimension& k) { return k.key == dimension.key; });
  });
}

/// Whether the choice makes another layout, given the degrees chosen before.
bool matters(const std::string& key, const ParallelPlan& plan) {
  if (key == "virtual_pipeline" || key == "schedule") return plan.pipeline_parallel > 1;
  if (key == "sequence_parallel") return plan.tensor_parallel > 1;
  if (key == "zero_stage" || key == "overlap_gradient_reduce") {
    return plan.data_parallel * plan.context_parallel > 1;
  }
  if (key == "recompute_method") return plan.recompute == Recompute::Full;
  if (key == "recompute_num_layers") return counts_layers(plan);
  return true;
}

}  // namespace

/// Walks the tree of choices of one cluster.
class LayoutSpace::Enumerator {
 public:
  Enumerator(LayoutSpace& space, int variant)
      : space_(space),
        dimensions_(space.request_.keys.dimensions),
        scenario_(*space.request_.variants[static_cast<std::size_t>(variant)].scenario),
        gpus_(num_gpus(scenario_.cluster)),
        in_default_order_(are_in_default_order(dimensions_)),
        chosen_(space.width(), unset) {
    chosen_.front() = static_cast<std::uint16_t>(variant);
    scenario_.job = space.fresh_[static_cast<std::size_t>(variant)];
  }

  void walk() { choose(0); }

 private:
  void choose(std::size_t dimension) {
    if (dimension == dimensions_.size()) {
      add_if_valid();
      return;
    }
    TrainingJob& job = scenario_.job;
    const std::pair<ParallelPlan, Batch> before(job.plan, job.batch);
    const std::string& key = dimensions_[dimension].key;
    for (const json& value : candidates(dimension)) {
      if (!value.is_null()) set_layout_key(job, key, value, no_place);
      if (may_lead_on(key)) {
        chosen_[1 + dimension] = value.is_null() ? unset : number_of(dimension, value);
        choose(dimension + 1);
      }
      std::tie(job.plan, job.batch) = before;
    }
  }

  TrainingJob completed() const {
    TrainingJob job = scenario_.job;
    complete(job, gpus_, scenario_.profile.framework);
    return job;
  }

  /// The values to try after what was chosen; null leaves the default.
  std::vector<json> candidates(std::size_t dimension) const {
    const SearchDimension& d = dimensions_[dimension];
    const TrainingJob job = completed();
    if (!matters(d.key, job.plan)) return {nullptr};
    if (d.values) return d.values->get<std::vector<json>>();
    std::vector<json> all = all_values(d.key);
    if (may_be_left_out(d.key)) all.insert(all.begin(), nullptr);
    if (!all.empty()) return all;
    all = divisors(divided_by(d.key, job, gpus_));
    return d.key == "recompute_num_layers" ? layers_to_count(job.plan, std::move(all)) : all;
  }

  /// False where the degrees so far need more GPUs than there are, or where the choice just made is
  /// wrong by itself and no later one mends that.
  bool may_lead_on(const std::string& key) const {
    if (!is_degree(key) && !(is_final(key) && in_default_order_)) return true;
    const TrainingJob job = completed();
    if (job.plan.data_parallel == 0) return false;
    const std::vector<Violation> found = violations(job, gpus_);
    return std::none_of(found.begin(), found.end(), [&](const Violation& v) {
      return v.key == "/plan/" + key || v.key == "/batch/" + key;
    });
  }

  void add_if_valid() {
    const TrainingJob before = scenario_.job;
    complete(scenario_.job, gpus_, scenario_.profile.framework);
    if (!first_violation(scenario_)) {
      space_.choices_.insert(space_.choices_.end(), chosen_.begin(), chosen_.end());
    }
    scenario_.job = before;
  }

  std::uint16_t number_of(std::size_t dimension, const json& value) {
    std::vector<json>& known = space_.values_[dimension];
    const auto found = std::find(known.begin(), known.end(), value);
    const auto number = found - known.begin();
    if (found == known.end()) known.push_back(value);
    STEPCAST_REQUIRES(number < unset);
    return static_cast<std::uint16_t>(number);
  }

  LayoutSpace& space_;
  const std::vector<SearchDimension>& dimensions_;
  Scenario scenario_;
  int gpus_;
  bool in_default_order_;
  std::vector<std::uint16_t> chosen_;
};

LayoutSpace::LayoutSpace(const SearchRequest& request)
    : request_(request), values_(request.keys.dimensions.size()) {
  for (int v = 0; v < num_variants(); ++v) {
    const std::optional<Scenario>& scenario =
        request.variants[static_cast<std::size_t>(v)].scenario;
    fresh_.push_back(scenario ? fresh_job(*scenario, request.keys.dimensions) : TrainingJob());
    const std::optional<int> most = request.keys.goal.max_nodes;
    if (scenario && !(most && scenario->cluster.nodes > *most)) Enumerator(*this, v).walk();
  }
}

const Scenario& LayoutSpace::base(int variant) const {
  const auto& scenario = request_.variants[static_cast<std::size_t>(variant)].scenario;
  STEPCAST_REQUIRES(scenario.has_value());
  return *scenario;
}

nlohmann::ordered_json LayoutSpace::choices(std::size_t layout) const {
  nlohmann::ordered_json chosen = nlohmann::ordered_json::object();
  for (std::size_t d = 0; d < request_.keys.dimensions.size(); ++d) {
    const std::uint16_t number = choices_[layout * width() + 1 + d];
    if (number != unset) chosen[request_.keys.dimensions[d].key] = values_[d][number];
  }
  return chosen;
}

TrainingJob LayoutSpace::job(std::size_t layout) const {
  const int variant = variant_of(layout);
  TrainingJob job = fresh_[static_cast<std::size_t>(variant)];
  for (std::size_t d = 0; d < request_.keys.dimensions.size(); ++d) choose(job, layout, d);
  complete(job, num_gpus(base(variant).cluster), base(variant).profile.framework);
  return job;
}

Batch LayoutSpace::batch(std::size_t layout) const {
  TrainingJob job;
  job.batch = fresh_[static_cast<std::size_t>(variant_of(layout))].batch;
  for (std::size_t d = 0; d < request_.keys.dimensions.size(); ++d) {
    if (is_batch_key(request_.keys.dimensions[d].key)) choose(job, layout, d);
  }
  return job.batch;
}

void LayoutSpace::choose(TrainingJob& job, std::size_t layout, std::size_t dimension) const {
  const std::uint16_t number = choices_[layout * width() + 1 + dimension];
  if (number == unset) return;
  set_layout_key(job, request_.keys.dimensions[dimension].key, values_[dimension][number],
                 no_place);
}

Scenario LayoutSpace::scenario(std::size_t layout) const {
  Scenario scenario = base(variant_of(layout));
  scenario.job = job(layout);
  return scenario;
}

std::string LayoutSpace::choices_text(std::size_t layout) const { return choices(layout).dump(); }

std::string LayoutSpace::title(std::size_t layout) const {
  std::vector<std::string> parts;
  const std::string& variant = request_.variants[static_cast<std::size_t>(variant_of(layout))].name;
  if (!variant.empty()) parts.push_back(variant);
  const nlohmann::ordered_json chosen = choices(layout);
  for (const auto& [key, value] : chosen.items()) {
    parts.push_back(
        fmt::format("{} {}", key, value.is_string() ? value.get<std::string>() : value.dump()));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace stepcast
