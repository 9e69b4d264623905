// What keeps layers from the stages and a schedule from its pipeline.
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "models/pipeline_schedule.h"
#include "models/violation_checks.h"

namespace stepcast {
namespace {

void check_stated_layers(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  const std::vector<int>& stated = plan.layers_per_stage;
  const std::string key = "/plan/layers_per_stage";
  if (std::ssize(stated) != plan.pipeline_parallel) {
    found.push_back({key,
                     "layers_per_stage has " + std::to_string(std::ssize(stated)) +
                         " entries for " + degree("pipeline_parallel", plan.pipeline_parallel),
                     "one entry a stage",
                     {}});
    return;
  }
  const std::int64_t sum = std::accumulate(stated.begin(), stated.end(), std::int64_t{0});
  if (sum != job.model.num_layers) {
    found.push_back({key,
                     "layers_per_stage adds up to " + std::to_string(sum) +
                         " layers, the model has " + std::to_string(job.model.num_layers),
                     {},
                     {}});
  }
  for (const int layers : stated) {
    if (layers % plan.virtual_pipeline == 0) continue;
    found.push_back({key,
                     "a stage of " + std::to_string(layers) + " layers does not divide by " +
                         degree("virtual_pipeline", plan.virtual_pipeline),
                     {},
                     {}});
    return;
  }
}

int counted_layers(const TrainingJob& job) {
  return job.model.num_layers + job.plan.embedding_counts_as_layer + job.plan.loss_counts_as_layer;
}

// Megatron deals layers, embedding and loss in exactly equal numbers where it counts those.
void check_counted_tables(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  if (!plan.embedding_counts_as_layer && !plan.loss_counts_as_layer) return;
  const std::string key = plan.embedding_counts_as_layer ? "account_for_embedding_in_pipeline_split"
                                                         : "account_for_loss_in_pipeline_split";
  if (!plan.layers_per_stage.empty() || job.framework == Framework::Nanotron) {
    const std::string why = plan.layers_per_stage.empty() ? "nanotron deals layers by cost"
                                                          : "layers_per_stage says the split";
    found.push_back({"/plan/" + key, key + " has no effect: " + why, "leave it out", {}});
    return;
  }
  const int counted = counted_layers(job);
  const int chunks = plan.pipeline_parallel * plan.virtual_pipeline;
  if (counted % chunks == 0) return;
  found.push_back({"/plan/" + key,
                   std::to_string(counted) + " layers, tables counted, do not divide by " +
                       std::to_string(chunks) + " model chunks",
                   "layers_per_stage can say any split",
                   {}});
}

}  // namespace

void check_layers(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  check_counted_tables(job, found);
  if (!plan.layers_per_stage.empty()) {
    check_stated_layers(job, found);
    return;
  }
  // nanotron deals blocks by cost and runs with empty stages.
  if (job.framework == Framework::Nanotron) return;
  const std::int64_t chunks = std::int64_t{plan.pipeline_parallel} * plan.virtual_pipeline;
  // A chunk may hold a table that counts as a layer and nothing else.
  if (counted_layers(job) >= chunks) return;
  std::string stages = degree("pipeline_parallel", plan.pipeline_parallel);
  if (plan.virtual_pipeline > 1) {
    stages += " x " + degree("virtual_pipeline", plan.virtual_pipeline);
  }
  found.push_back({"/plan/pipeline_parallel",
                   degree("num_layers", job.model.num_layers) + " is too few for " + stages,
                   "every stage needs a layer",
                   {}});
}

namespace {

void check_interleaving(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  if (plan.virtual_pipeline == 1) {
    found.push_back({"/plan/schedule",
                     "interleaved_1f1b needs virtual_pipeline above 1",
                     "schedule 1f1b runs one chunk a stage",
                     {}});
  }
  if (plan.pipeline_parallel == 1) {
    found.push_back({"/plan/virtual_pipeline",
                     "interleaved_1f1b needs pipeline_parallel above 1",
                     "leave virtual_pipeline out",
                     {}});
  }
  if (plan.data_parallel == 0) return;
  const int micro_batches = num_micro_batches(job);
  if (micro_batches % plan.pipeline_parallel == 0) return;
  found.push_back({"/batch/global_batch",
                   "interleaved_1f1b needs a multiple of pipeline_parallel micro-batches",
                   near_multiples(micro_batches, plan.pipeline_parallel, "", " micro-batches"),
                   {degree("micro-batches", micro_batches) + ", " +
                    degree("pipeline_parallel", plan.pipeline_parallel)}});
}

void check_split_backward(const ParallelPlan& plan, Violations& found) {
  const std::string schedule(word(*plan.schedule));
  if (plan.pipeline_parallel == 1) {
    found.push_back({"/plan/schedule",
                     schedule + " needs pipeline_parallel above 1",
                     "leave schedule out",
                     {}});
  }
  if (plan.offload.any()) {
    found.push_back({"/plan/offload",
                     "offload is not modelled with schedule " + schedule,
                     "1f1b and interleaved_1f1b go with it",
                     {}});
  }
}

void check_zero_bubble_v(const ParallelPlan& plan, Violations& found) {
  if (plan.virtual_pipeline == 2) return;
  found.push_back({"/plan/virtual_pipeline",
                   "zb_v has two model chunks a stage, the plan " +
                       degree("virtual_pipeline", plan.virtual_pipeline),
                   "leave virtual_pipeline out",
                   {}});
}

void check_dual_pipe(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  if (plan.pipeline_parallel % 2 != 0) {
    found.push_back({"/plan/pipeline_parallel",
                     "dual_pipe needs an even pipeline_parallel, the plan has " +
                         std::to_string(plan.pipeline_parallel),
                     {},
                     {}});
  }
  for (const auto& [key, chosen] :
       {std::pair{"overlap_gradient_reduce", plan.overlap_gradient_reduce},
        std::pair{"overlap_parameter_gather", plan.overlap_parameter_gather}}) {
    if (!chosen.value_or(false)) continue;
    found.push_back({std::string("/plan/") + key,
                     std::string(key) + " does not go with dual_pipe",
                     std::string("leave ") + key + " out",
                     {"two stages hold each weight and reduce once both are done"}});
  }
  if (plan.data_parallel == 0) return;
  const int micro_batches = num_micro_batches(job);
  if (micro_batches % 2 == 0 && micro_batches >= 2 * plan.pipeline_parallel) return;
  found.push_back({"/batch/global_batch",
                   "dual_pipe needs an even number of micro-batches, at least two a stage",
                   std::to_string(2 * plan.pipeline_parallel) + " micro-batches would do",
                   {degree("micro-batches", micro_batches) + ", " +
                    degree("pipeline_parallel", plan.pipeline_parallel)}});
}

}  // namespace

void check_schedule(const TrainingJob& job, Violations& found) {
  const ParallelPlan& plan = job.plan;
  const Schedule schedule = *plan.schedule;
  if (splits_backward(schedule)) check_split_backward(plan, found);
  if (schedule == Schedule::DualPipe) check_dual_pipe(job, found);
  if (schedule == Schedule::Interleaved) {
    check_interleaving(job, found);
  } else if (schedule == Schedule::ZeroBubbleV) {
    check_zero_bubble_v(plan, found);
  } else if (plan.virtual_pipeline > 1) {
    found.push_back({"/plan/virtual_pipeline",
                     degree("virtual_pipeline", plan.virtual_pipeline) +
                         " needs schedule interleaved_1f1b, the plan has " +
                         std::string(word(schedule)),
                     {},
                     {}});
  }
}

}  // namespace stepcast
