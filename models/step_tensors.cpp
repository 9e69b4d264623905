#include "models/step_tensors.h"

#include <algorithm>
#include <cmath>

#include "models/layer_shapes.h"
#include "models/layer_stash.h"
#include "models/memory.h"

namespace stepcast {
namespace {

constexpr double kLogitElement = 4.0;  // bytes: the loss is computed in fp32

class TensorList {
 public:
  explicit TensorList(StepTensors& tensors) : tensors_(tensors) {}

  // `total` as tensors of about `size` each.
  void add(std::vector<int>& use, MemoryPart part, Bytes total, Bytes size,
           double likelihood = 1.0) {
    if (total <= Bytes() || likelihood <= 0.0) return;
    const int count = std::max(1, static_cast<int>(std::lround(total / size)));
    use.push_back(static_cast<int>(tensors_.shapes.size()));
    tensors_.shapes.push_back(
        {.part = part, .size = total / count, .count = count, .likelihood = likelihood});
  }

 private:
  StepTensors& tensors_;
};

// One tensor of [tokens, width] in the job's precision.
Bytes activation(double width, const WorkContext& c) {
  return Bytes(static_cast<double>(tokens_per_micro_batch(c.job)) * width *
               bytes_per_element(c.job.precision));
}

double elements(const Linear& linear) {
  return static_cast<double>(linear.inputs) * static_cast<double>(linear.outputs);
}

double largest_matrix(const LayerShapes& shapes) {
  double largest = elements(shapes.attention_output);
  for (const Linears* linears :
       {&shapes.attention_input, &shapes.mlp, &shapes.expert, &shapes.shared}) {
    for (const Linear& linear : *linears) largest = std::max(largest, elements(linear));
  }
  return largest;
}

// Frozen weights have no gradients.
Bytes weight_gradient(const LayerShapes& shapes, const WorkContext& c) {
  if (c.job.fine_tuning) return Bytes();
  return Bytes(c.framework.memory.weight_gradient_bytes.value * largest_matrix(shapes));
}

// The MLP's tensor on one rank, all its experts' rows together.
Bytes mlp_tensor(const LayerShapes& shapes, const WorkContext& c) {
  return Bytes((shapes.ffn_elements + shapes.expert_ffn_elements + shapes.shared_ffn_elements) *
               bytes_per_element(c.job.precision));
}

LayerTensors layer_tensors(const WorkContext& c, double held_inputs, TensorList& list) {
  const ParallelPlan& plan = c.job.plan;
  const LayerShapes shapes = layer_shapes(c.job, c.layer);
  const Bytes whole = activation(c.job.model.hidden_size, c);
  const Bytes hidden = layer_input(c);
  const Bytes mlp = mlp_tensor(shapes, c);
  const Bytes of_mlp = layer_stash_of_mlp(c);
  LayerTensors tensors;
  if (!plan.offload.activations) {
    list.add(tensors.stash, MemoryPart::Activations, layer_stash(c) - of_mlp, hidden);
    list.add(tensors.stash, MemoryPart::Activations, of_mlp, mlp);
    list.add(tensors.checkpoint, MemoryPart::Activations, hidden, hidden);
  }
  if (plan.recompute == Recompute::None) {
    list.add(tensors.stash, MemoryPart::Activations, gathered_inputs(c), whole, held_inputs);
  }
  list.add(tensors.computed_again, MemoryPart::Activations, recompute_working_set(1, c), hidden);
  list.add(tensors.forward_work, MemoryPart::Temporary, whole, whole);
  list.add(tensors.backward_work, MemoryPart::Temporary, whole, whole);
  list.add(tensors.backward_work, MemoryPart::Temporary, mlp * (c.job.model.gated_mlp ? 2.0 : 1.0),
           mlp);
  const Bytes gradient = weight_gradient(shapes, c);
  list.add(tensors.weight_gradient, MemoryPart::Temporary, gradient, gradient);
  return tensors;
}

}  // namespace

StepTensors step_tensors(const WorkContext& c, double held_inputs) {
  StepTensors tensors;
  TensorList list(tensors);
  for (const LayerKind kind : {LayerKind::Dense, LayerKind::Expert}) {
    if (layers_of(c.job.model, kind) == 0) continue;
    tensors.layers[static_cast<std::size_t>(kind)] = layer_tensors(c.of(kind), held_inputs, list);
  }
  const double logits = static_cast<double>(tokens_per_micro_batch(c.job)) *
                        static_cast<double>(padded_vocab(c.job, c.framework)) /
                        c.job.plan.tensor_parallel;
  list.add(tensors.logits, MemoryPart::Logits, logit_bytes(c), Bytes(kLogitElement * logits));
  return tensors;
}

double held_inputs_likelihood(Seconds forward_passes, const WorkContext& c) {
  const ParallelPlan& plan = c.job.plan;
  const MemoryHabits& habits = c.framework.memory;
  if (plan.tensor_parallel == 1) return 0.0;
  if (plan.keep_gathered_inputs) return *plan.keep_gathered_inputs ? 1.0 : 0.0;
  const HeldInputs& held = habits.held_inputs;
  if (held.time.value <= Seconds()) return habits.keeps_gathered_inputs ? 1.0 : 0.0;
  const double gpus = static_cast<double>(plan.tensor_parallel) * plan.pipeline_parallel *
                      plan.data_parallel * plan.context_parallel;
  const double scaled =
      forward_passes / held.time.value * std::pow(gpus / 8.0, held.gpus_power.value);
  return 1.0 / (1.0 + std::pow(scaled, held.power.value));
}

}  // namespace stepcast
