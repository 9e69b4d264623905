#include "models/stage_blocks.h"

#include <algorithm>
#include <cmath>

#include "base/contract.h"
#include "models/layer_passes.h"
#include "models/passage_builder.h"

namespace stepcast {
namespace {

void add_embedding(bool forward, PassageBuilder& builder) {
  const StepContext& context = builder.context();
  builder.compute(forward ? context.embedding.forward : context.embedding.backward);
  if (!forward) return;
  // Every tensor rank holds a slice of the vocabulary: their partial rows are summed.
  builder.collective(tensor_exchange(
      context.plan().sequence_parallel ? CollectiveKind::ReduceScatter : CollectiveKind::AllReduce,
      context));
}

void add_head_alone(bool forward, PassageBuilder& builder) {
  const StepContext& context = builder.context();
  const bool sequence = context.plan().sequence_parallel;
  if (forward && sequence) {
    builder.collective(tensor_exchange(CollectiveKind::AllGather, context));
  }
  if (forward) builder.allocate(context.tensors.logits);
  builder.compute(forward ? context.head.forward : context.head.backward);
  if (!forward) {
    builder.collective(tensor_exchange(
        sequence ? CollectiveKind::ReduceScatter : CollectiveKind::AllReduce, context));
    builder.free(context.tensors.logits);
  }
}

// The head, and after it (before it in the backward pass) every multi-token prediction module with
// the head again.
void add_head(bool forward, PassageBuilder& builder) {
  const StepContext& context = builder.context();
  const Transformer& model = context.job().model;
  if (forward) add_head_alone(true, builder);
  for (int module = 0; module < model.multi_token_prediction; ++module) {
    const HeadCost& projection = context.prediction_projection;
    if (!forward) add_head_alone(false, builder);
    if (forward) builder.compute(projection.forward);
    add_layer(forward ? Pass::Forward : Pass::Backward, {.kind = last_layer_kind(model)}, builder);
    if (!forward) builder.compute(projection.backward);
    if (forward) add_head_alone(true, builder);
  }
  if (!forward) add_head_alone(false, builder);
}

void add_before_layers(Pass pass, const ModelShare& share, PassageBuilder& builder) {
  if (pass == Pass::Forward && share.embedding) add_embedding(true, builder);
  const bool needs_head = pass == Pass::Backward || pass == Pass::InputGradient;
  if (needs_head && share.head) add_head(false, builder);
}

void add_after_layers(Pass pass, const ModelShare& share, PassageBuilder& builder) {
  if (pass == Pass::Forward && share.head) add_head(true, builder);
  const bool ends = pass == Pass::Backward || pass == Pass::WeightGradient;
  if (ends && share.embedding) add_embedding(false, builder);
}

}  // namespace

const GroupLayout& StepContext::layout(Group group) const {
  switch (group) {
    case Group::Tensor:
      return tensor_layout;
    case Group::Context:
      return context_layout;
    case Group::Expert:
      return expert_layout;
    case Group::ExpertTensor:
      return expert_tensor_layout;
    default:
      break;
  }
  STEPCAST_REQUIRES(false && "a group whose collectives stand inside layers");
  return tensor_layout;
}

Work work_of(Pass pass) {
  switch (pass) {
    case Pass::Forward:
      return Work::Forward;
    case Pass::Backward:
      return Work::Backward;
    case Pass::InputGradient:
      return Work::InputGradient;
    case Pass::WeightGradient:
      return Work::WeightGradient;
  }
  return Work::Setup;
}

Seconds layer_forward_time(const StepContext& context) {
  StepProgram program;
  RankProgram rank;
  PassageBuilder builder(Pass::Forward, 1.0, context, program, rank);
  const bool dense = layers_of(context.job().model, LayerKind::Dense) > 0;
  add_layer(Pass::Forward, {.kind = dense ? LayerKind::Dense : LayerKind::Expert}, builder);
  return builder.mark().busy;
}

int operation_index(StepProgram& program, CollectiveKind kind, Bytes message) {
  const Operation operation{kind, Bytes(std::ceil(message.value()))};
  const auto place = std::find(program.operations.begin(), program.operations.end(), operation);
  const int index = static_cast<int>(place - program.operations.begin());
  if (place == program.operations.end()) program.operations.push_back(operation);
  return index;
}

Bytes hidden_state_bytes(const TrainingJob& job) {
  return Bytes(static_cast<double>(tokens_per_micro_batch(job)) * job.model.hidden_size *
               bytes_per_element(job.precision));
}

Passage add_block(Pass pass, const ModelShare& share, double slowdown, const StepContext& context,
                  StepProgram& program, RankProgram& rank) {
  PassageBuilder builder(pass, slowdown, context, program, rank);
  add_before_layers(pass, share, builder);
  for (int i = 0; i < share.all_layers(); ++i) {
    const int layer = pass == Pass::Forward ? i : share.all_layers() - 1 - i;
    add_layer(pass, place_of(share, layer), builder);
  }
  add_after_layers(pass, share, builder);
  return builder.take();
}

Passage add_pair(const ModelShare& forward, const ModelShare& backward, const StepContext& context,
                 StepProgram& program, RankProgram& rank) {
  PassageBuilder builder(Pass::Forward, 1.0, context, program, rank);
  builder.hold_stashes();
  builder.set_pass(Pass::Backward);
  add_before_layers(Pass::Backward, backward, builder);
  builder.set_pass(Pass::Forward);
  add_before_layers(Pass::Forward, forward, builder);
  const int layers = std::max(forward.all_layers(), backward.all_layers());
  for (int i = 0; i < layers; ++i) {
    const int back = backward.all_layers() - 1 - i;
    const bool both = i < forward.all_layers() && back >= 0;
    if (both && forward.kind(i) == LayerKind::Expert && backward.kind(back) == LayerKind::Expert) {
      add_expert_layers_together(place_of(forward, i), place_of(backward, back), builder);
      continue;
    }
    builder.set_pass(Pass::Forward);
    if (i < forward.all_layers()) add_layer(Pass::Forward, place_of(forward, i), builder);
    builder.set_pass(Pass::Backward);
    if (back >= 0) add_layer(Pass::Backward, place_of(backward, back), builder);
  }
  builder.set_pass(Pass::Forward);
  add_after_layers(Pass::Forward, forward, builder);
  builder.set_pass(Pass::Backward);
  add_after_layers(Pass::Backward, backward, builder);
  return builder.take();
}

}  // namespace stepcast
