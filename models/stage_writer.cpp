#include "models/stage_writer.h"

#include <algorithm>
#include <cmath>

#include "models/gradient_steps.h"
#include "models/offload.h"
#include "models/stream_writer.h"

namespace stepcast {
namespace {

class StageWriter {
 public:
  StageWriter(const StageSite& site, const StepContext& context, StepProgram& program)
      : site_(site), context_(context), program_(program), out_(rank_) {}

  RankProgram write() {
    reserve_resident_memory();
    write_tensors();
    const std::vector<Slot> slots =
        stage_slots(*context_.plan().schedule, site_.shape, site_.stage);
    gradients_.emplace(site_, context_, program_, rank_, out_);
    for (const Slot& slot : slots) write_slot(slot);
    gradients_->finish();
    write_optimizer_step();
    return std::move(rank_);
  }

 private:
  bool last_micro_batch(const Slot& slot) const {
    return slot.micro_batch == site_.shape.micro_batches - 1;
  }

  void reserve_resident_memory() {
    ModelShare all;
    for (const ModelShare& chunk : site_.chunks) all = all + chunk;
    parameters_ = share_parameters(all, context_.work);
    const ModelState state = model_state(parameters_, context_.work);
    const auto put = [&](MemoryPart part, Bytes size) {
      rank_.resident[static_cast<std::size_t>(part)] += size;
    };
    put(MemoryPart::Weights, state.weights);
    put(MemoryPart::Gradients, state.gradients);
    put(MemoryPart::Optimizer, state.optimizer);
    put(MemoryPart::Temporary, gathered_parameters(all, context_.work));
    put(MemoryPart::Workspace, context_.work.framework.memory.workspace.value);
    const ModelState on_host = host_model_state(parameters_, context_.work);
    const auto put_on_host = [&](MemoryPart part, Bytes size) {
      rank_.host_resident[static_cast<std::size_t>(part)] = size;
    };
    put_on_host(MemoryPart::Weights, on_host.weights);
    put_on_host(MemoryPart::Gradients, on_host.gradients);
    put_on_host(MemoryPart::Optimizer, on_host.optimizer);
    rank_.outside_allocator =
        context_.work.framework.memory.context.value + communicator_buffers(context_.work);
  }

  // The tensors that come and go: each chunk's stash, one layer's working set, the logits.
  void write_tensors() {
    for (const ModelShare& chunk : site_.chunks) {
      rank_.tensors.push_back(
          {MemoryPart::Activations, stashed_activations(chunk.layers, context_.work)});
    }
    working_set_ = static_cast<int>(rank_.tensors.size());
    rank_.tensors.push_back({MemoryPart::Activations, recompute_working_set(context_.work)});
    logits_ = working_set_ + 1;
    rank_.tensors.push_back({MemoryPart::Logits, logit_bytes(context_.work)});
  }

  void write_slot(const Slot& slot) {
    out_.set_slot(slot.pass == Pass::Forward ? Work::Forward : Work::Backward, slot.micro_batch,
                  slot.chunk);
    const bool forward = slot.pass == Pass::Forward;
    const bool receives = forward ? !site_.is_first(slot.chunk) : !site_.is_last(slot.chunk);
    const bool sends = forward ? !site_.is_last(slot.chunk) : !site_.is_first(slot.chunk);
    if (receives) write_receive(forward);
    write_work(slot);
    if (sends) write_send(forward);
  }

  void write_receive(bool forward) {
    const Stream stream = forward ? Stream::ReceiveForward : Stream::ReceiveBackward;
    const Group pair = forward ? Group::ReceiveForward : Group::ReceiveBackward;
    out_.message(stream, InstructionKind::Receive, pair, message_operation());
    out_.join(stream, Stream::Compute, Activity::PipelineBubble);
  }

  // The stage works on while its result travels, unless the framework waits for it.
  void write_send(bool forward) {
    const Stream stream = forward ? Stream::SendForward : Stream::SendBackward;
    const Group pair = forward ? Group::SendForward : Group::SendBackward;
    out_.join(Stream::Compute, stream, Activity::Other);
    out_.message(stream, InstructionKind::Send, pair, message_operation());
    const bool overlaps = context_.work.framework.communication.overlap_pipeline_messages ||
                          *context_.plan().schedule == Schedule::Interleaved;
    if (!overlaps) out_.join(stream, Stream::Compute, Activity::PipelineCommunication);
  }

  int message_operation() {
    const ParallelPlan& plan = context_.plan();
    const bool split = plan.sequence_parallel || context_.work.framework.communication.scatter_pipeline_messages;
    const Bytes message = hidden_state_bytes(context_.job()) / (split ? plan.tensor_parallel : 1);
    return operation_index(program_, CollectiveKind::SendReceive, message);
  }

  void write_work(const Slot& slot) {
    const ModelShare& share = site_.chunks[static_cast<std::size_t>(slot.chunk)];
    const bool forward = slot.pass == Pass::Forward;
    const bool by_units = context_.plan().offload.activations;  // then GradientSteps allocates
    if (forward) {
      if (!by_units) out_.memory(InstructionKind::Allocate, slot.chunk);
      if (share.head) out_.memory(InstructionKind::Allocate, logits_);
      out_.compute(context_.work.framework.host.micro_batch.value, Activity::Other);
      gradients_->forward(slot);
      return;
    }
    out_.memory(InstructionKind::Allocate, working_set_);
    gradients_->backward(slot, last_micro_batch(slot));
    out_.memory(InstructionKind::Free, working_set_);
    if (!by_units) out_.memory(InstructionKind::Free, slot.chunk);
    if (share.head) out_.memory(InstructionKind::Free, logits_);
  }

  void write_optimizer_step() {
    out_.set_slot(Work::GradientNorm, -1, 0);
    if (context_.plan().tensor_parallel * context_.plan().pipeline_parallel > 1) {
      out_.collective(Stream::Compute, Group::Model, Activity::Optimizer,
                      operation_index(program_, CollectiveKind::AllReduce, Bytes(8)));
    }
    out_.set_slot(Work::OptimizerStep, -1, 0);
    if (context_.plan().offload.optimizer) {
      gradients_->host_update(parameters_);
    } else {
      update_on_device();
    }
    out_.compute(context_.work.framework.host.step.value, Activity::Other);
    gradients_->gather_parameters();
  }

  void update_on_device() {
    const double shards = context_.plan().zero_stage > 0 ? shard_ranks(context_.plan()) : 1.0;
    const Bytes traffic(static_cast<double>(parameters_) / shards *
                        context_.work.framework.kernels.optimizer_traffic.value);
    out_.compute(memory_bound_time(traffic, context_.work.device), Activity::Optimizer);
  }

  const StageSite& site_;
  const StepContext& context_;
  StepProgram& program_;
  RankProgram rank_;
  StreamWriter out_;
  std::optional<GradientSteps> gradients_;
  std::int64_t parameters_ = 0;
  int working_set_ = 0;
  int logits_ = 0;
};

}  // namespace

RankProgram write_stage(const StageSite& site, const StepContext& context, StepProgram& program) {
  return StageWriter(site, context, program).write();
}

}  // namespace stepcast
