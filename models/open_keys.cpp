#include "models/open_keys.h"

namespace stepcast {

TrainingJob with_open_keys(TrainingJob job, const FrameworkProfile& framework) {
  ParallelPlan& plan = job.plan;
  const ParallelPlan stated = plan;
  plan.overlap_gradient_reduce.reset();
  plan.overlap_parameter_gather.reset();
  plan.context_parallel_algorithm.reset();
  plan.expert_tensor_parallel = 0;
  TrainingJob filled = job;
  const int gpus = plan.tensor_parallel * plan.pipeline_parallel * plan.context_parallel;
  complete(filled, gpus, framework);
  const auto keep = [&](auto member) {
    if (filled.plan.*member != stated.*member) plan.*member = stated.*member;
  };
  keep(&ParallelPlan::overlap_gradient_reduce);
  keep(&ParallelPlan::overlap_parameter_gather);
  keep(&ParallelPlan::context_parallel_algorithm);
  keep(&ParallelPlan::expert_tensor_parallel);
  return job;
}

}  // namespace stepcast
