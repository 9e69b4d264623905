#include "models/layer_passes.h"

#include <algorithm>

#include "models/expert_traffic.h"
#include "models/layer_shapes.h"

namespace stepcast {
namespace {

// --- Exchanges of a layer ----------------------------------------------------------------------

Exchange context_exchange(CollectiveKind kind, Bytes message) {
  return {Group::Context, kind, message, Activity::ContextCommunication};
}

double element_bytes(const StepContext& context) {
  return bytes_per_element(context.job().precision);
}

// Keys and values of the tokens that a rank holds.
Bytes key_value_bytes(const StepContext& context) {
  return Bytes(static_cast<double>(tokens_per_micro_batch(context.job())) *
               key_value_width(context.job()) * element_bytes(context));
}

// Queries, keys and values of a rank's tokens, and the output of its heads: what Ulysses exchanges
// before and after the attention core.
Bytes heads_bytes(bool before, const StepContext& context) {
  const LayerShapes shapes = layer_shapes(context.job(), LayerKind::Dense);
  const double output = static_cast<double>(shapes.attention_output.inputs);
  const double width =
      before ? static_cast<double>(shapes.attention.heads * shapes.attention.head_size) +
                   key_value_width(context.job())
             : output;
  return Bytes(static_cast<double>(shapes.tokens) * width * element_bytes(context));
}

Exchange dispatch(const StepContext& context) {
  return {Group::Expert, CollectiveKind::AllToAll,
          dispatch_bytes(context.job(), context.expert_layout), Activity::ExpertCommunication};
}

Exchange combine(const StepContext& context) {
  return {Group::Expert, CollectiveKind::AllToAll,
          combine_bytes(context.job(), context.expert_layout), Activity::ExpertCommunication};
}

Exchange expert_tensor_exchange(CollectiveKind kind, const StepContext& context) {
  return {Group::ExpertTensor, kind, expert_tensor_bytes(context.job()),
          Activity::ExpertCommunication};
}

// --- Parts of a layer --------------------------------------------------------------------------

// One half of a layer between its tensor collectives: an all-reduce behind it, or with sequence
// parallelism a gather in front and a scatter behind.
template <class Body>
void half_layer(PassageBuilder& builder, const Body& body) {
  const StepContext& context = builder.context();
  const bool sequence = context.plan().sequence_parallel;
  if (sequence) builder.collective(tensor_exchange(CollectiveKind::AllGather, context));
  body();
  builder.collective(tensor_exchange(
      sequence ? CollectiveKind::ReduceScatter : CollectiveKind::AllReduce, context));
}

// Ring attention: the causal mask is balanced over the ranks, so every round has the same part of
// the core; the next block of keys and values (and, backward, their gradients) travels beside it.
void add_ring_attention(Seconds attention, Seconds core, Bytes block, PassageBuilder& builder) {
  const int ranks = builder.context().plan().context_parallel;
  builder.compute(attention - core);
  for (int round = 1; round < ranks; ++round) {
    builder.beside(context_exchange(CollectiveKind::SendReceive, block),
                   [&] { builder.compute(core / ranks); });
  }
  builder.compute(core / ranks);
}

void add_attention(bool forward, Seconds attention, Seconds core, PassageBuilder& builder) {
  const StepContext& context = builder.context();
  const ParallelPlan& plan = context.plan();
  const Bytes own = key_value_bytes(context);
  if (plan.context_parallel == 1) {
    builder.compute(attention);
    return;
  }
  switch (*plan.context_parallel_algorithm) {
    case ContextAlgorithm::Ring:
      add_ring_attention(attention, core, forward ? own : 2 * own, builder);
      return;
    case ContextAlgorithm::AllGather: {
      const Bytes all = plan.context_parallel * own;
      builder.collective(context_exchange(CollectiveKind::AllGather, all));
      builder.compute(attention);
      if (!forward) builder.collective(context_exchange(CollectiveKind::ReduceScatter, all));
      return;
    }
    case ContextAlgorithm::AllToAll:
      builder.collective(context_exchange(CollectiveKind::AllToAll, heads_bytes(forward, context)));
      builder.compute(attention);
      builder.collective(
          context_exchange(CollectiveKind::AllToAll, heads_bytes(!forward, context)));
      return;
  }
}

// The experts' own work between the exchanges of tokens.
void add_experts(const LayerPass& cost, PassageBuilder& builder) {
  const StepContext& context = builder.context();
  builder.collective(expert_tensor_exchange(CollectiveKind::AllGather, context));
  builder.compute(cost.experts);
  builder.collective(expert_tensor_exchange(CollectiveKind::ReduceScatter, context));
}

void add_shared_experts(const LayerPass& cost, PassageBuilder& builder) {
  if (cost.shared <= Seconds()) return;
  half_layer(builder, [&] { builder.compute(cost.shared); });
}

// Backward passes run through the same exchanges: gradients of the output are dispatched, those of
// the input combined.
void add_expert_mlp(const LayerPass& cost, PassageBuilder& builder) {
  const StepContext& context = builder.context();
  const bool beside = context.plan().overlap_shared_experts;
  builder.compute(cost.mlp);
  if (beside) {
    builder.beside(dispatch(context), [&] { add_shared_experts(cost, builder); });
  } else {
    add_shared_experts(cost, builder);
    builder.collective(dispatch(context));
  }
  add_experts(cost, builder);
  builder.collective(combine(context));
}

void add_mlp(const LayerPass& cost, LayerKind kind, PassageBuilder& builder) {
  if (kind == LayerKind::Expert) {
    add_expert_mlp(cost, builder);
  } else {
    half_layer(builder, [&] { builder.compute(cost.mlp); });
  }
}

void add_attention_half(bool forward, const LayerPass& cost, Seconds core,
                        PassageBuilder& builder) {
  half_layer(builder, [&] { add_attention(forward, cost.attention, core, builder); });
}

const LayerCost& cost_of(LayerKind kind, const StepContext& context) {
  return kind == LayerKind::Expert ? context.expert_layer : context.layer;
}

// What was computed in the forward pass and is computed again: all of it with its collectives, the
// MLP with its own, or single operations.
void add_recomputed_layer(LayerKind kind, PassageBuilder& builder) {
  const StepContext& context = builder.context();
  const LayerPass& again = cost_of(kind, context).recomputed;
  const ParallelPlan& plan = context.plan();
  if (plan.recompute == Recompute::Full) {
    add_attention_half(true, again, cost_of(kind, context).core_forward, builder);
    add_mlp(again, kind, builder);
    return;
  }
  const RecomputedOperations& operations = plan.recompute_operations;
  if (kind == LayerKind::Expert ? operations.experts : operations.mlp) {
    add_mlp(again, kind, builder);
    builder.compute(again.attention);
  } else {
    builder.compute(again.sum());
  }
}

// --- Memory ------------------------------------------------------------------------------------

bool computes_again(const LayerPlace& place, const StepContext& context) {
  return context.plan().recompute == Recompute::Full && !place.keeps_all;
}

void allocate_stash(const LayerPlace& place, PassageBuilder& builder) {
  const LayerTensors& tensors = builder.context().tensors.of(place.kind);
  if (!computes_again(place, builder.context())) {
    builder.allocate(tensors.stash);
  } else if (place.begins_segment) {
    builder.allocate(tensors.checkpoint);
  }
}

void allocate_computed_again(const LayerPlace& place, PassageBuilder& builder) {
  if (place.keeps_all) return;
  const LayerTensors& tensors = builder.context().tensors.of(place.kind);
  for (int layer = 0; layer < place.brings_back; ++layer) builder.allocate(tensors.computed_again);
}

void free_stash(const LayerPlace& place, PassageBuilder& builder) {
  const LayerTensors& tensors = builder.context().tensors.of(place.kind);
  if (!place.keeps_all) builder.free(tensors.computed_again);
  if (!computes_again(place, builder.context())) {
    builder.free_stash(tensors.stash);
  } else if (place.begins_segment) {
    builder.free_stash(tensors.checkpoint);
  }
}

// --- Passes ------------------------------------------------------------------------------------

// All of a backward pass, or what the gradient by the input takes (`halved`).
void add_gradients(bool halved, const LayerPlace& place, PassageBuilder& builder) {
  const StepContext& context = builder.context();
  const LayerCost& cost = cost_of(place.kind, context);
  const Pace before = builder.mark();
  const int collectives_before = builder.collectives();
  const auto collectives = [&] { return builder.collectives() - collectives_before; };
  if (!place.keeps_all) add_recomputed_layer(place.kind, builder);
  const bool again = computes_again(place, context);
  Seconds host = again ? host_forward_time(collectives(), context.work) : Seconds();
  const int recomputed_collectives = collectives();
  if (halved) host -= host_weight_gradient_share() * host_backward_time(0, context.work);
  const LayerPass pass = halved ? cost.backward - cost.weight_gradient : cost.backward;
  add_mlp(pass, place.kind, builder);
  add_attention_half(false, pass, cost.core_backward, builder);
  host += host_backward_time(collectives() - (again ? recomputed_collectives : 0), context.work);
  builder.pace(before, host);
}

void add_forward_layer(const LayerPlace& place, PassageBuilder& builder) {
  const StepContext& context = builder.context();
  const LayerCost& cost = cost_of(place.kind, context);
  const Pace before = builder.mark();
  const int collectives_before = builder.collectives();
  allocate_stash(place, builder);
  builder.allocate(context.tensors.of(place.kind).forward_work);
  add_attention_half(true, cost.forward, cost.core_forward, builder);
  add_mlp(cost.forward, place.kind, builder);
  builder.pace(before, host_forward_time(builder.collectives() - collectives_before, context.work));
  builder.free(context.tensors.of(place.kind).forward_work);
}

void add_weight_gradients(const LayerPlace& place, PassageBuilder& builder) {
  const StepContext& context = builder.context();
  const LayerTensors& tensors = context.tensors.of(place.kind);
  const Pace before = builder.mark();
  builder.allocate(tensors.weight_gradient);
  builder.compute(cost_of(place.kind, context).weight_gradient.sum());
  builder.pace(before, host_weight_gradient_share() * host_backward_time(0, context.work));
  builder.free(tensors.weight_gradient);
  free_stash(place, builder);
}

// Without the weights' part of the compute and the launches.
void add_input_gradients(const LayerPlace& place, PassageBuilder& builder) {
  const LayerTensors& tensors = builder.context().tensors.of(place.kind);
  allocate_computed_again(place, builder);
  builder.allocate(tensors.backward_work);
  add_gradients(true, place, builder);
  builder.free(tensors.backward_work);
}

void add_backward_layer(const LayerPlace& place, PassageBuilder& builder) {
  const LayerTensors& tensors = builder.context().tensors.of(place.kind);
  allocate_computed_again(place, builder);
  builder.allocate(tensors.backward_work);
  builder.allocate(tensors.weight_gradient);
  add_gradients(false, place, builder);
  builder.free(tensors.weight_gradient);
  builder.free(tensors.backward_work);
  free_stash(place, builder);
}

}  // namespace

Exchange tensor_exchange(CollectiveKind kind, const StepContext& context) {
  return {Group::Tensor, kind, hidden_state_bytes(context.job()), Activity::TensorCommunication};
}

LayerPlace place_of(const ModelShare& share, int layer) {
  const int place = share.place_in_segment(layer);
  return {.kind = share.kind(layer),
          .keeps_all = share.keeps_all(layer),
          .begins_segment = place == 0,
          .brings_back = share.ends_segment(layer) ? place + 1 : 0};
}

void add_layer(Pass pass, const LayerPlace& place, PassageBuilder& builder) {
  switch (pass) {
    case Pass::Forward:
      return add_forward_layer(place, builder);
    case Pass::Backward:
      return add_backward_layer(place, builder);
    case Pass::InputGradient:
      return add_input_gradients(place, builder);
    case Pass::WeightGradient:
      return add_weight_gradients(place, builder);
  }
}

void add_expert_layers_together(const LayerPlace& forward, const LayerPlace& backward,
                                PassageBuilder& builder) {
  const StepContext& context = builder.context();
  const LayerCost& cost = context.expert_layer;
  const LayerTensors& tensors = context.tensors.of(LayerKind::Expert);
  allocate_computed_again(backward, builder);
  for (const auto* work : {&tensors.backward_work, &tensors.weight_gradient}) {
    builder.allocate(*work);
  }
  allocate_stash(forward, builder);
  builder.allocate(tensors.forward_work);
  const Pace before = builder.mark();
  const int collectives_before = builder.collectives();
  builder.set_pass(Pass::Backward);
  add_recomputed_layer(LayerKind::Expert, builder);
  builder.beside(dispatch(context), [&] {
    builder.set_pass(Pass::Forward);
    add_attention_half(true, cost.forward, cost.core_forward, builder);
    builder.compute(cost.forward.mlp);
  });
  builder.beside(dispatch(context), [&] {
    builder.set_pass(Pass::Backward);
    add_shared_experts(cost.backward, builder);
    add_experts(cost.backward, builder);
  });
  builder.beside(combine(context), [&] {
    builder.set_pass(Pass::Forward);
    add_shared_experts(cost.forward, builder);
    add_experts(cost.forward, builder);
  });
  builder.beside(combine(context), [&] {
    builder.set_pass(Pass::Backward);
    builder.compute(cost.backward.mlp);
    add_attention_half(false, cost.backward, cost.core_backward, builder);
  });
  const int collectives = builder.collectives() - collectives_before;
  builder.pace(before, host_forward_time(collectives / 2, context.work) +
                           host_backward_time(collectives - collectives / 2, context.work));
  for (const auto* work :
       {&tensors.forward_work, &tensors.weight_gradient, &tensors.backward_work}) {
    builder.free(*work);
  }
  free_stash(backward, builder);
}

}  // namespace stepcast
