// What follows from a job's keys by arithmetic: what was left open, the rank grid, batch and
// vocabulary sizes. Layers per stage are layer_split.cpp's, faults plan_violations.cpp's.
#include "models/training_job.h"

#include <array>
#include <string_view>

#include "base/contract.h"

namespace stepcast {
namespace {

constexpr std::array<std::string_view, kNumAxes> axis_words{"tp", "cp", "ep", "dp", "pp"};

/// Position in axis_words, which lists the axes in the order of `Axis`.
std::optional<Axis> axis_of(std::string_view text) {
  for (std::size_t i = 0; i < axis_words.size(); ++i) {
    if (axis_words[i] == text) return static_cast<Axis>(i);
  }
  return std::nullopt;
}

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

void complete(TrainingJob& job, int num_gpus, const FrameworkProfile& framework) {
  ParallelPlan& plan = job.plan;
  if (plan.data_parallel == 0) {
    const std::int64_t replica =
        std::int64_t{plan.tensor_parallel} * plan.pipeline_parallel * plan.context_parallel;
    // Where it does not divide, 0 stays for violations() to report.
    plan.data_parallel = num_gpus % replica == 0 ? static_cast<int>(num_gpus / replica) : 0;
  }
  if (!plan.schedule) {
    plan.schedule =
        plan.virtual_pipeline > 1 ? Schedule::Interleaved : Schedule::OneForwardOneBackward;
  }
  if (plan.expert_tensor_parallel == 0) {
    plan.expert_tensor_parallel = job.model.experts.used() ? plan.tensor_parallel : 1;
  }
  if (plan.context_parallel > 1 && !plan.context_parallel_algorithm) {
    plan.context_parallel_algorithm = framework.communication.context_parallel_algorithm;
  }
  // A V has two chunks a stage: nothing else can be meant.
  if (plan.schedule == Schedule::ZeroBubbleV && plan.virtual_pipeline == 1) {
    plan.virtual_pipeline = 2;
  }
  // Two copies of the weights are reduced once both have all of their gradients.
  const bool can_overlap = model_copies(plan) == 1;
  const CommunicationHabits& habits = framework.communication;
  const bool zero3 = plan.zero_stage == 3;
  if (!plan.overlap_gradient_reduce) {
    const bool habit = zero3 ? habits.zero3_overlap : habits.overlap_gradient_reduce;
    plan.overlap_gradient_reduce = habit && can_overlap;
  }
  if (!plan.overlap_parameter_gather) {
    const bool habit = zero3 ? habits.zero3_overlap : habits.overlap_parameter_gather;
    plan.overlap_parameter_gather = habit && can_overlap;
  }
}

std::optional<RankOrder> parse_rank_order(std::string_view text) {
  RankOrder order{};
  std::array<bool, kNumAxes> seen{};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool last = i + 1 == order.size();
    const std::size_t end = text.find('-');
    if (last != (end == std::string_view::npos)) return std::nullopt;
    const std::optional<Axis> axis = axis_of(text.substr(0, end));
    if (!axis || seen[static_cast<std::size_t>(*axis)]) return std::nullopt;
    seen[static_cast<std::size_t>(*axis)] = true;
    order[i] = *axis;
    if (!last) text.remove_prefix(end + 1);
  }
  return order;
}

RankGrid rank_grid(const ParallelPlan& plan) {
  const std::optional<RankOrder> order = parse_rank_order(plan.rank_order);
  STEPCAST_REQUIRES(order.has_value());
  // Experts are spread over the ranks of the other axes (step_groups).
  return RankGrid(
      {plan.tensor_parallel, plan.context_parallel, 1, plan.data_parallel, plan.pipeline_parallel},
      *order);
}

int num_micro_batches(const TrainingJob& job) {
  STEPCAST_REQUIRES(job.batch.micro_batch >= 1 && job.plan.data_parallel >= 1);
  return job.batch.global_batch / job.batch.micro_batch / job.plan.data_parallel;
}

std::int64_t padded_vocab(const TrainingJob& job, const FrameworkProfile& framework) {
  if (job.vocab_padding) return round_up(job.model.vocab_size, *job.vocab_padding);
  return round_up(job.model.vocab_size,
                  std::int64_t{framework.vocab_padding} * job.plan.tensor_parallel);
}

std::int64_t tokens_per_micro_batch(const TrainingJob& job) {
  return std::int64_t{job.batch.micro_batch} * job.batch.sequence_length /
         job.plan.context_parallel;
}

int model_copies(const ParallelPlan& plan) { return plan.schedule == Schedule::DualPipe ? 2 : 1; }

int data_group_size(const ParallelPlan& plan) {
  return plan.data_parallel * plan.context_parallel * model_copies(plan);
}

int expert_data_group_size(const ParallelPlan& plan) {
  const int of_a_stage = plan.tensor_parallel * plan.context_parallel * plan.data_parallel;
  return of_a_stage / (plan.expert_parallel * plan.expert_tensor_parallel) * model_copies(plan);
}

double bytes_per_element(Precision precision) {
  switch (precision) {
    case Precision::Fp32:
    case Precision::Tf32:
      return 4;
    case Precision::Fp16:
    case Precision::Bf16:
    case Precision::Fp8:
      return 2;
  }
  STEPCAST_REQUIRES(false && "every precision has a size");
  return 0;
}

}  // namespace stepcast
