#include "reports/json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/advice.h"
#include "reports/text.h"
#include "sim/run.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

const char* schema_type(const Json& value) {
  if (value.is_number_integer()) return "integer";
  if (value.is_number()) return "number";
  if (value.is_boolean()) return "boolean";
  return "string";
}

// An object that grows together with its schema, so that neither can miss a key of the other.
class DescribedObject {
 public:
  void add(const std::string& key, const Json& value, std::string_view doc) {
    values_[key] = value;
    require(key, {{"type", schema_type(value)}}, doc);
  }

  void add(const std::string& key, const DescribedObject& object, std::string_view doc) {
    values_[key] = object.values_;
    require(key, object.schema_, doc);
  }

  void add_optional(const std::string& key, const std::optional<double>& value,
                    std::string_view doc) {
    if (value) values_[key] = *value;
    describe(key, {{"type", "number"}}, doc);
  }

  // `present` false: only the schema grows.
  void add_if(bool present, const std::string& key, const DescribedObject& object,
              std::string_view doc) {
    if (present) values_[key] = object.values_;
    describe(key, object.schema_, doc);
  }

  void add_if(bool present, const std::string& key, const Json& value, std::string_view doc) {
    if (present) values_[key] = value;
    describe(key, {{"type", schema_type(value)}}, doc);
  }

  void add_numbers(const std::string& key, const std::vector<double>& values,
                   std::string_view doc) {
    values_[key] = values;
    require(key, {{"type", "array"}, {"items", {{"type", "number"}}}}, doc);
  }

  // A list that is left out where it is empty.
  void add_texts(const std::string& key, const std::vector<std::string>& texts,
                 std::string_view doc) {
    if (!texts.empty()) values_[key] = texts;
    describe(key, {{"type", "array"}, {"items", {{"type", "string"}}}}, doc);
  }

  // Requires at least one object, which describes them all.
  void add_list(const std::string& key, const std::vector<DescribedObject>& objects,
                std::string_view doc) {
    values_[key] = Json::array();
    for (const DescribedObject& object : objects) values_[key].push_back(object.values_);
    require(key, {{"type", "array"}, {"items", objects.front().schema_}}, doc);
  }

  // A list that is left out where it is empty; `example` describes its objects.
  void add_list_if_any(const std::string& key, const std::vector<DescribedObject>& objects,
                       const DescribedObject& example, std::string_view doc) {
    for (const DescribedObject& object : objects) values_[key].push_back(object.values_);
    describe(key, {{"type", "array"}, {"items", example.schema_}}, doc);
  }

  // Objects by name, left out where there are none; `example` describes them.
  void add_map(const std::string& key,
               const std::vector<std::pair<std::string, DescribedObject>>& objects,
               const DescribedObject& example, std::string_view doc) {
    for (const auto& [name, object] : objects) values_[key][name] = object.values_;
    describe(key, {{"type", "object"}, {"additionalProperties", example.schema_}}, doc);
  }

  const Json& values() const { return values_; }
  const Json& schema() const { return schema_; }

 private:
  void describe(const std::string& key, Json schema, std::string_view doc) {
    schema["description"] = doc;
    schema_["properties"][key] = std::move(schema);
  }

  void require(const std::string& key, Json schema, std::string_view doc) {
    describe(key, std::move(schema), doc);
    schema_["required"].push_back(key);
  }

  Json values_ = Json::object();
  Json schema_ = {{"type", "object"}, {"properties", Json::object()}, {"required", Json::array()}};
};

DescribedObject breakdown(const StepReport& report) {
  DescribedObject parts;
  for (int a = 0; a < kNumActivities; ++a) {
    const auto activity = static_cast<Activity>(a);
    parts.add(std::string(word(activity)), report.breakdown[static_cast<std::size_t>(a)].value(),
              activity_text(activity));
  }
  return parts;
}

DescribedObject parts(const StageMemory& stage) {
  DescribedObject parts;
  for (int p = 0; p < kNumMemoryParts; ++p) {
    const auto part = static_cast<MemoryPart>(p);
    parts.add(std::string(word(part)), stage.parts[static_cast<std::size_t>(p)].value(),
              word(part));
  }
  return parts;
}

DescribedObject stage_memory(const StageMemory& stage) {
  DescribedObject object;
  object.add("stage", stage.stage, "pipeline stage, from 0");
  object.add("allocated_bytes", stage.allocated.value(), "what the framework's tensors take");
  object.add("reserved_bytes", stage.reserved.value(), "with the caching allocator's fragments");
  object.add("device_bytes", stage.device.value(), "with CUDA context and NCCL, as nvidia-smi");
  object.add("parts_bytes", parts(stage), "of device_bytes, which they sum to");
  object.add("peak_at_s", stage.peak_at.value(), "when in the step");
  object.add("peak_instruction", stage.peak_instruction,
             "of the compute stream; -1: before its first");
  object.add("peak_work", word(stage.peak_work), "what that instruction belongs to");
  object.add("peak_micro_batch", stage.peak_micro_batch, "its micro-batch; -1: none");
  object.add("peak_chunk", stage.peak_chunk, "its model chunk");
  object.add("uncertain_bytes", stage.uncertain.value(),
             "tensors at the peak that a setting nobody states keeps or not");
  object.add("uncertain_likelihood", stage.uncertain_likelihood,
             "that they are kept; from 0.5 on they count in device_bytes");
  return object;
}

DescribedObject timeline(const MemoryReport& report) {
  std::vector<double> times;
  std::vector<double> allocated;
  for (const MemoryPoint& point : report.timeline) {
    times.push_back(point.at.value());
    allocated.push_back(point.allocated.value());
  }
  DescribedObject object;
  object.add_numbers("time_s", times, "in the step");
  object.add_numbers("allocated_bytes", allocated, "of the tensors then");
  return object;
}

DescribedObject memory(const MemoryReport& report) {
  std::vector<DescribedObject> stages;
  stages.reserve(report.stages.size());
  for (const StageMemory& stage : report.stages) stages.push_back(stage_memory(stage));
  DescribedObject object;
  object.add("capacity_bytes", report.capacity.value(), "of one GPU");
  object.add("peak_bytes", report.peak().device.value(), "device memory of the fullest GPU");
  object.add("peak_allocated_bytes", report.peak().allocated.value(), "of its tensors");
  object.add("peak_rank", report.peak_rank, "the lowest rank of the fullest stage");
  object.add("parts_bytes", parts(report.peak()), "of peak_bytes, which they sum to");
  const bool offloads = report.host_peak > Bytes();
  object.add_if(offloads, "host_capacity_bytes", report.host_capacity.value(), "of one node");
  object.add_if(offloads, "host_peak_bytes", report.host_peak.value(), "of it used by offload");
  object.add_list("per_stage", stages, "the peak of every pipeline stage");
  object.add("peak_reserved_bytes", report.peak().reserved.value(), "by the caching allocator");
  object.add_numbers("peak_interval_bytes", {report.low.value(), report.high.value()},
                     "5 % and 95 % quantile of peak_bytes, uncertain tensors in and out");
  object.add("timeline", timeline(report), "of the fullest stage: the highest of each stretch");
  return object;
}

DescribedObject cost(const CostReport& report) {
  DescribedObject object;
  object.add("usd_per_hour", report.usd_per_hour, "of the whole cluster");
  object.add("usd_per_million_tokens", report.usd_per_million_tokens, "USD");
  object.add_optional("training_hours", report.training_hours, "for all of training_tokens");
  object.add_optional("training_usd", report.training_usd, "for all of training_tokens");
  object.add_optional("energy_kwh", report.energy_kwh, "for all of training_tokens");
  return object;
}

DescribedObject engine(const EngineReport& report) {
  const bool event = report.name == "event";
  DescribedObject object;
  object.add("name", report.name, "event or analytic: which gave the times");
  object.add("certified", report.certified, "analytic times proven equal to the event engine's");
  object.add("gpus", report.gpus, "in use");
  object.add("rank_classes", report.rank_classes, "ranks that were simulated for all");
  object.add("activities", report.activities, "instructions that took simulated time");
  object.add("wall_time_s", report.wall_time.value(), "what the prediction took");
  object.add_if(event, "settings", event ? simgrid_settings_text() : "", "of SimGrid");
  return object;
}

DescribedObject claim(const ClaimCheck& check) {
  DescribedObject object;
  object.add("claimed", check.claimed, "base units");
  object.add("predicted", check.predicted, "base units");
  const double to = check.claimed_to.value_or(1.0);
  const bool ends = check.claimed_to.has_value() && std::isfinite(to);
  object.add_if(ends, "claimed_to", to, "end of a claimed range, which begins with claimed");
  object.add("ratio", check.ratio(), "predicted / claimed");
  object.add("agrees", agrees(check), "within 10 % of the claim");
  return object;
}

DescribedObject link(const LinkLoad& load, Seconds step_time) {
  DescribedObject by_activity;
  for (int a = 0; a < kNumActivities; ++a) {
    const Bytes carried = load.carried[static_cast<std::size_t>(a)];
    const auto activity = static_cast<Activity>(a);
    by_activity.add_if(carried > Bytes(), std::string(word(activity)), carried.value(),
                       activity_text(activity));
  }
  DescribedObject object;
  object.add("name", load.name, "of the first of the links that carry the same");
  object.add("links", load.alike, "how many carry the same");
  object.add("bandwidth_bytes_per_s", load.bandwidth.value(), "of one, in its direction");
  object.add("carried_bytes", load.total().value(), "by each over the step, as the link sees them");
  object.add("utilisation", load.utilisation(step_time), "carried_bytes / (bandwidth x step)");
  object.add("activity", std::string(word(load.busiest())), "what fills it most");
  object.add("by_activity_bytes", by_activity, "of carried_bytes, which they sum to");
  return object;
}

void add_links(DescribedObject& object, const StepReport& report) {
  std::vector<DescribedObject> links;
  links.reserve(report.links.size());
  for (const LinkLoad& load : report.links) links.push_back(link(load, report.step_time));
  object.add_list_if_any("links", links, link({"", 1, 1_B_per_s, {}}, 1_s),
                         "what every link carries, most utilised first");
}

DescribedObject stall(const StallRisk& risk) {
  DescribedObject object;
  object.add("chance", risk.chance, "that a run like this stands still");
  object.add("time_s", risk.time().value(), "what a step then takes longer");
  object.add("in_step_time", risk.expected(), "whether step_time_s is that of a stalled run");
  return object;
}

void add_rates(DescribedObject& object, const StepReport& report) {
  object.add("tokens_per_s", report.tokens_per_s, "of the whole cluster");
  object.add("tokens_per_s_per_gpu", report.tokens_per_s_per_gpu, "of one GPU");
  object.add("model_flop_rate_per_gpu", report.model_flop_rate_per_gpu.value(), "FLOP/s");
  object.add("mfu", report.mfu, "model FLOP rate / peak rate of the precision");
  object.add("hfu", report.hfu, "the same with recomputation counted");
}

void add_claims(DescribedObject& object, const std::vector<ClaimCheck>& claims) {
  std::vector<std::pair<std::string, DescribedObject>> checks;
  checks.reserve(claims.size());
  for (const ClaimCheck& check : claims) checks.emplace_back(check.claim, claim(check));
  object.add_map("claims", checks, claim({"", 1.0, 1.0}), "by the claimed figure's key");
}

DescribedObject result(const StepReport& report) {
  DescribedObject object;
  object.add("schema", 1, "version of this format");
  object.add("title", report.title, "the scenario's");
  object.add("step_time_s", report.step_time.value(), "one optimizer step");
  object.add_numbers("step_time_interval_s",
                     {report.step_time_low.value(), report.step_time_high.value()},
                     "5 % and 95 % quantile");
  object.add_if(report.stall.chance > 0, "stall", stall(report.stall),
                "pipelines of frameworks that were seen to stall on the fabric");
  add_rates(object, report);
  object.add("breakdown_s", breakdown(report), "along the critical rank; sums to step_time_s");
  object.add("critical_stage", report.critical_stage, "pipeline stage of the critical rank");
  object.add("bubble_fraction", report.bubble_fraction, "pipeline_bubble / step_time_s");
  object.add("bottleneck", report.bottleneck, "what limits the step");
  object.add("memory", memory(report.memory), "of one GPU at its peak");
  object.add("fits", report.fits, "false: it runs out of memory, more likely than not");
  object.add("oom_probability", report.oom_probability, "of running out of memory");
  object.add_if(report.cost.has_value(), "cost", cost(report.cost.value_or(CostReport())),
                "where the scenario has a price");
  object.add("engine", engine(report.engine), "what gave the times");
  add_claims(object, report.claims);
  add_links(object, report);
  object.add_texts("warnings", report.warnings, "what the reader should know");
  return object;
}

}  // namespace

nlohmann::ordered_json result_json(const StepReport& report) { return result(report).values(); }

nlohmann::ordered_json result_schema() {
  StepReport any;
  any.memory.stages.resize(1);
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "Stepcast result"}};
  schema.update(result(any).schema());
  schema["properties"]["advice"] = advice_schema();
  return schema;
}

namespace {

Json prediction_json(const Prediction& prediction) {
  Json json = result_json(prediction.report);
  if (prediction.advice) json["advice"] = advice_json(*prediction.advice);
  return json;
}

}  // namespace

nlohmann::ordered_json results_json(std::span<const Prediction> predictions) {
  if (predictions.size() == 1) return prediction_json(predictions.front());
  Json list = Json::array();
  for (const Prediction& prediction : predictions) list.push_back(prediction_json(prediction));
  return list;
}

std::string json_text(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string json_text(const nlohmann::json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace stepcast
