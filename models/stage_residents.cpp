#include "models/stage_residents.h"

#include <algorithm>

#include "models/fine_tuning.h"
#include "models/offload.h"

namespace stepcast {
namespace {

constexpr int kMatricesOfLayer = 4;  // of attention in and out, of the MLP in and out

ModelState state_on_device(const ModelShare& share, const WorkContext& work) {
  return model_state(trained_parameters(share, work), work) +
         expert_model_state(share_expert_parameters(share, work), work);
}

ModelState state_on_host(const ModelShare& share, const WorkContext& work) {
  const TrainingJob of_experts = job_of_experts(work.job);
  return host_model_state(trained_parameters(share, work), work) +
         host_model_state(share_expert_parameters(share, work),
                          {of_experts, work.framework, work.device});
}

}  // namespace

void add_residents(const ModelShare& share, const StepContext& context, RankProgram& rank) {
  const WorkContext& work = context.work;
  const Bytes frozen = frozen_weights(share, work);
  const bool frozen_on_host = context.plan().offload.parameters;
  const auto put = [&](auto& parts, MemoryPart part, Bytes size) {
    parts[static_cast<std::size_t>(part)] = size;
  };
  const ModelState state = state_on_device(share, work);
  put(rank.resident, MemoryPart::Weights, state.weights + (frozen_on_host ? Bytes() : frozen));
  put(rank.resident, MemoryPart::Gradients, state.gradients);
  put(rank.resident, MemoryPart::Optimizer, state.optimizer);
  put(rank.resident, MemoryPart::Temporary, gathered_parameters(share, work));
  put(rank.resident, MemoryPart::Workspace, work.framework.memory.workspace.value);
  const ModelState host = state_on_host(share, work);
  put(rank.host_resident, MemoryPart::Weights, host.weights + (frozen_on_host ? frozen : Bytes()));
  put(rank.host_resident, MemoryPart::Gradients, host.gradients);
  put(rank.host_resident, MemoryPart::Optimizer, host.optimizer);
  rank.resident_tensors = kMatricesOfLayer * std::max(1, share.all_layers());
  rank.outside_allocator = work.framework.memory.context.value + communicator_buffers(work);
}

std::optional<int> add_open_gradients(const ModelShare& share, const StepContext& context,
                                      RankProgram& rank) {
  const WorkContext& work = context.work;
  if (!leaves_gradients_open(work)) return std::nullopt;
  TrainingJob in_fp32 = work.job;
  in_fp32.gradient_precision = Precision::Fp32;
  const WorkContext with_fp32{in_fp32, work.framework, work.device};
  const Bytes more =
      state_on_device(share, with_fp32).total() - state_on_device(share, work).total();
  if (more <= Bytes()) return std::nullopt;
  rank.tensors.push_back({.part = MemoryPart::Gradients,
                          .size = more / rank.resident_tensors,
                          .count = rank.resident_tensors,
                          .likelihood = work.framework.recipe.keeps_fp32_unsaid.value});
  return static_cast<int>(rank.tensors.size()) - 1;
}

}  // namespace stepcast
