#include "models/stage_blocks.h"

#include <algorithm>
#include <cmath>

namespace stepcast {
namespace {

// How long a GPU has been busy, and with collectives, up to some point of a block.
struct Pace {
  Seconds busy;
  Seconds communicating;
};

// Collects the instructions of one block, and how long the GPU is busy with them when alone.
class BlockBuilder {
 public:
  BlockBuilder(Pass pass, double slowdown, const StepContext& context, StepProgram& program)
      : pass_(pass), slowdown_(slowdown), context_(context), program_(program) {}

  // Less than a nanosecond is rounding, or a host that is just not the bottleneck.
  void compute(Seconds duration, Activity activity = Activity::Compute) {
    if (duration < 1_ns) return;
    if (activity == Activity::Compute) duration *= context_.straggling * slowdown_;
    block_.body.push_back({.kind = InstructionKind::Compute,
                           .activity = activity,
                           .work = pass_ == Pass::Forward ? Work::Forward : Work::Backward,
                           .duration = duration});
    busy_ += duration;
  }

  void tensor_collective(CollectiveKind kind) {
    if (context_.plan().tensor_parallel == 1) return;
    collective(kind, hidden_state_bytes(context_.job()), Group::Tensor,
               Activity::TensorCommunication, context_.tensor_layout);
  }

  // Keys and values of the whole sequence, gathered over the context group or their gradient
  // scattered back.
  void context_collective(CollectiveKind kind) {
    const TrainingJob& job = context_.job();
    if (job.plan.context_parallel == 1) return;
    const double groups = std::max(1, job.model.num_query_groups / job.plan.tensor_parallel);
    const double tokens = static_cast<double>(job.batch.micro_batch) * job.batch.sequence_length;
    const Bytes message(2.0 * groups * job.model.head_size * tokens *
                        bytes_per_element(job.precision));
    collective(kind, message, Group::Context, Activity::ContextCommunication,
               context_.context_layout);
  }

  // One half of a layer between its tensor collectives: an all-reduce behind it, or with sequence
  // parallelism a gather in front and a scatter behind.
  template <class Body>
  void half_layer(const Body& body) {
    const bool sequence = context_.plan().sequence_parallel;
    if (sequence) tensor_collective(CollectiveKind::AllGather);
    body();
    tensor_collective(sequence ? CollectiveKind::ReduceScatter : CollectiveKind::AllReduce);
  }

  // Stretches what was added since `before` to the host's pace. Collectives run while the host goes
  // on launching, unless the framework waits for them.
  void pace(const Pace& before, Seconds host) {
    const bool waits = context_.work.framework.host.waits_for_tensor_collectives;
    const Seconds communication = waits ? communicating_ - before.communicating : Seconds();
    const Seconds gpu = busy_ - before.busy - communication;
    const Seconds paced = paced_by_host(gpu, host, context_.job().runtime.launch_blocking);
    compute(paced - gpu, Activity::Other);
  }

  Pace mark() const { return {busy_, communicating_}; }
  int collectives() const { return collectives_; }
  Block take() { return std::move(block_); }

 private:
  void collective(CollectiveKind kind, Bytes message, Group group, Activity activity,
                  const GroupLayout& layout) {
    block_.body.push_back({.kind = InstructionKind::Collective,
                           .activity = activity,
                           .work = pass_ == Pass::Forward ? Work::Forward : Work::Backward,
                           .index = static_cast<int>(group),
                           .operation = operation_index(program_, kind, message)});
    const Seconds alone =
        alone_time(plan_transfer(kind, message, layout, context_.network), layout);
    busy_ += alone;
    communicating_ += alone;
    ++collectives_;
  }

  Pass pass_;
  double slowdown_;
  const StepContext& context_;
  StepProgram& program_;
  Block block_;
  Seconds busy_;           // all that the GPU does alone
  Seconds communicating_;  // the collectives of it
  int collectives_ = 0;
};

void add_forward_layer(const LayerPass& cost, BlockBuilder& builder) {
  builder.half_layer([&] {
    builder.context_collective(CollectiveKind::AllGather);
    builder.compute(cost.attention);
  });
  builder.half_layer([&] { builder.compute(cost.mlp); });
}

void add_backward_layer(const LayerPass& cost, BlockBuilder& builder) {
  builder.half_layer([&] { builder.compute(cost.mlp); });
  builder.half_layer([&] {
    builder.context_collective(CollectiveKind::AllGather);
    builder.compute(cost.attention);
    builder.context_collective(CollectiveKind::ReduceScatter);
  });
}

// What was computed in the forward pass and is computed again: all of it with its collectives, or
// the attention core alone.
void add_recomputed_layer(const StepContext& context, BlockBuilder& builder) {
  if (context.plan().recompute == Recompute::Full) {
    add_forward_layer(context.layer.recomputed, builder);
  } else {
    builder.compute(context.layer.recomputed.sum());
  }
}

// The framework's slow tensor collectives are host time, too: where they apply, layers take it as a
// floor, whatever they compute.
Seconds slow_collectives(int collectives, const StepContext& context) {
  return collectives * context.slow_tensor_collective;
}

Seconds host_forward_time(int collectives, const StepContext& context) {
  return host_forward_time(collectives, context.work) + slow_collectives(collectives, context);
}

Seconds host_backward_time(int collectives, const StepContext& context) {
  return host_backward_time(collectives, context.work) + slow_collectives(collectives, context);
}

void add_layer(Pass pass, const StepContext& context, BlockBuilder& builder) {
  const Pace before = builder.mark();
  const int collectives_before = builder.collectives();
  const auto collectives = [&] { return builder.collectives() - collectives_before; };
  if (pass == Pass::Forward) {
    add_forward_layer(context.layer.forward, builder);
    builder.pace(before, host_forward_time(collectives(), context));
    return;
  }
  add_recomputed_layer(context, builder);
  const bool again = context.plan().recompute == Recompute::Full;
  Seconds host = again ? host_forward_time(collectives(), context) : Seconds();
  const int recomputed_collectives = collectives();
  add_backward_layer(context.layer.backward, builder);
  host += host_backward_time(collectives() - (again ? recomputed_collectives : 0), context);
  builder.pace(before, host);
}

void add_embedding(Pass pass, const StepContext& context, BlockBuilder& builder) {
  const bool forward = pass == Pass::Forward;
  builder.compute(forward ? context.embedding.forward : context.embedding.backward);
  if (!forward) return;
  // Every tensor rank holds a slice of the vocabulary: their partial rows are summed.
  builder.tensor_collective(context.plan().sequence_parallel ? CollectiveKind::ReduceScatter
                                                             : CollectiveKind::AllReduce);
}

void add_head(Pass pass, const StepContext& context, BlockBuilder& builder) {
  const bool forward = pass == Pass::Forward;
  const bool sequence = context.plan().sequence_parallel;
  if (forward && sequence) builder.tensor_collective(CollectiveKind::AllGather);
  builder.compute(forward ? context.head.forward : context.head.backward);
  if (!forward) {
    builder.tensor_collective(sequence ? CollectiveKind::ReduceScatter : CollectiveKind::AllReduce);
  }
}

}  // namespace

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

int add_block(Pass pass, const ModelShare& share, double slowdown, const StepContext& context,
              StepProgram& program, RankProgram& rank) {
  BlockBuilder builder(pass, slowdown, context, program);
  if (pass == Pass::Forward) {
    if (share.embedding) add_embedding(pass, context, builder);
    for (int layer = 0; layer < share.layers; ++layer) add_layer(pass, context, builder);
    if (share.head) add_head(pass, context, builder);
  } else {
    if (share.head) add_head(pass, context, builder);
    for (int layer = 0; layer < share.layers; ++layer) add_layer(pass, context, builder);
    if (share.embedding) add_embedding(pass, context, builder);
  }
  rank.blocks.push_back(builder.take());
  return static_cast<int>(rank.blocks.size()) - 1;
}

}  // namespace stepcast
