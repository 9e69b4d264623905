// A scenario as ds_config.json: the other way through scenarios/import/deepspeed.cpp.
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "scenarios/export/exported.h"
#include "scenarios/export/scenario_rest.h"

namespace stepcast {
namespace {

using nlohmann::ordered_json;

constexpr double bytes_per_element = 2;

// A bucket of whole elements; another one goes with the rest.
void write_bucket(ordered_json& zero, const char* key, const std::optional<Bytes>& bucket) {
  if (!bucket) return;
  const double elements = bucket->value() / bytes_per_element;
  if (elements == std::floor(elements)) zero[key] = elements;
}

ordered_json zero_optimization(const ParallelPlan& plan) {
  ordered_json zero = {{"stage", plan.zero_stage}};
  if (plan.overlap_gradient_reduce) zero["overlap_comm"] = *plan.overlap_gradient_reduce;
  write_bucket(zero, "reduce_bucket_size", plan.sharding.reduce_bucket);
  write_bucket(zero, "allgather_bucket_size", plan.sharding.gather_bucket);
  if (plan.offload.optimizer) zero["offload_optimizer"] = {{"device", "cpu"}};
  if (plan.offload.parameters) zero["offload_param"] = {{"device", "cpu"}};
  return zero;
}

ordered_json configuration(const Scenario& scenario) {
  const TrainingJob& job = scenario.job;
  ordered_json config = {{"train_batch_size", job.batch.global_batch},
                         {"train_micro_batch_size_per_gpu", job.batch.micro_batch},
                         {"gradient_accumulation_steps", num_micro_batches(job)},
                         {"zero_optimization", zero_optimization(job.plan)}};
  const bool brain = job.precision == Precision::Bf16;
  const bool half = job.precision == Precision::Fp16;
  config["bf16"] = {{"enabled", brain}};
  config["fp16"] = {{"enabled", half}};
  const bool one_bit = job.plan.gradient_compression == GradientCompression::OneBitAdam;
  if (one_bit) {
    config["optimizer"] = {{"type", "OneBitAdam"}};
  } else if (job.optimizer == Optimizer::AdamW) {
    config["optimizer"] = {{"type", "AdamW"}};
  } else if (job.optimizer == Optimizer::Adam) {
    config["optimizer"] = {{"type", "Adam"}};
  }
  if (job.plan.offload.activations)
    config["activation_checkpointing"] = {{"cpu_checkpointing", true}};
  return config;
}

}  // namespace

Exported deepspeed_config(const Scenario& scenario) {
  ordered_json config = configuration(scenario);
  const Imported said = read_deepspeed_config(config, "the exported file");
  const nlohmann::json rest = scenario_rest(scenario, said);
  config["stepcast"] = rest;
  return {config.dump(2) + "\n", keys_of_rest(rest)};
}

}  // namespace stepcast
