#include "models/stage_writer.h"

#include <algorithm>
#include <cmath>

#include "models/gradient_steps.h"
#include "models/kernels.h"
#include "models/optimizer.h"
#include "models/sparsity.h"
#include "models/stage_residents.h"
#include "models/stream_writer.h"

namespace stepcast {
namespace {

class StageWriter {
 public:
  StageWriter(const StageSite& site, const StepContext& context, StepProgram& program)
      : site_(site), context_(context), program_(program), out_(rank_) {}

  RankProgram write() {
    const ModelShare share = site_.all_chunks();
    add_residents(share, context_, rank_);
    rank_.tensors = context_.tensors.shapes;
    const std::optional<int> open = add_open_gradients(share, context_, rank_);
    if (open) out_.memory(InstructionKind::Allocate, *open);
    const std::vector<Slot> slots =
        stage_slots(*context_.plan().schedule, site_.shape, site_.stage);
    gradients_.emplace(site_, context_, program_, rank_, out_);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (slots[i].with_next) {
        write_pair(slots[i], slots[i + 1]);
        ++i;
      } else {
        write_slot(slots[i]);
      }
    }
    gradients_->finish();
    write_optimizer_step();
    if (open) out_.memory(InstructionKind::Free, *open);
    return std::move(rank_);
  }

 private:
  bool last_micro_batch(const Slot& slot) const {
    return slot.micro_batch == site_.num_micro_batches() - 1;
  }

  void write_slot(const Slot& slot) {
    set_slot(slot);
    write_receive(slot);
    write_pass(slot);
    write_send(slot);
  }

  // A forward and a backward pass of different micro-batches, together.
  void write_pair(const Slot& forward, const Slot& backward) {
    set_slot(forward);
    write_receive(forward);
    set_slot(backward);
    write_receive(backward);
    set_slot(forward);
    out_.compute(context_.work.framework.host.micro_batch.value, Activity::Other);
    set_slot(backward);
    gradients_->forward_and_backward(forward, backward);
    write_send(backward);
    set_slot(forward);
    write_send(forward);
  }

  void set_slot(const Slot& slot) {
    out_.set_slot(work_of(slot.pass), slot.micro_batch, slot.chunk);
  }

  bool receives(const Slot& slot) const {
    if (slot.pass == Pass::WeightGradient) return false;
    return slot.pass == Pass::Forward ? site_.receives_forward(slot.chunk)
                                      : site_.sends_forward(slot.chunk);
  }

  bool sends(const Slot& slot) const {
    if (slot.pass == Pass::WeightGradient) return false;
    return slot.pass == Pass::Forward ? site_.sends_forward(slot.chunk)
                                      : site_.receives_forward(slot.chunk);
  }

  // Where messages of a slot come in, or go out, and the pair of ranks that exchanges them.
  struct Route {
    Stream stream;
    Group pair;
  };
  Route receiving(const Slot& slot) const {
    const bool forward = slot.pass == Pass::Forward;
    if (goes_up(site_.path, slot.chunk)) {
      return forward ? Route{Stream::ReceiveForwardUp, Group::ReceiveForwardUp}
                     : Route{Stream::ReceiveBackwardUp, Group::ReceiveBackwardUp};
    }
    return forward ? Route{Stream::ReceiveForward, Group::ReceiveForward}
                   : Route{Stream::ReceiveBackward, Group::ReceiveBackward};
  }
  Route sending(const Slot& slot) const {
    const bool forward = slot.pass == Pass::Forward;
    if (goes_up(site_.path, slot.chunk)) {
      return forward ? Route{Stream::SendForwardUp, Group::SendForwardUp}
                     : Route{Stream::SendBackwardUp, Group::SendBackwardUp};
    }
    return forward ? Route{Stream::SendForward, Group::SendForward}
                   : Route{Stream::SendBackward, Group::SendBackward};
  }

  void write_receive(const Slot& slot) {
    if (!receives(slot)) return;
    const Route route = receiving(slot);
    out_.message(route.stream, InstructionKind::Receive, route.pair, message_operation());
    out_.join(route.stream, Stream::Compute, Activity::PipelineBubble);
    hold();
  }

  // The stage works on while its result travels, unless the framework waits for it.
  void write_send(const Slot& slot) {
    if (!sends(slot)) return;
    const Route route = sending(slot);
    out_.join(Stream::Compute, route.stream, Activity::Other);
    out_.message(route.stream, InstructionKind::Send, route.pair, message_operation());
    if (!sends_beside_compute()) {
      out_.join(route.stream, Stream::Compute, Activity::PipelineCommunication);
    }
    hold();
  }

  // A stalled run's messages (stalls.h).
  void hold() { out_.compute(context_.message_hold, Activity::PipelineCommunication); }

  // Schedules that rest on it do so in every framework.
  bool sends_beside_compute() const {
    const Schedule schedule = *context_.plan().schedule;
    return context_.work.framework.communication.overlap_pipeline_messages ||
           (schedule != Schedule::GPipe && schedule != Schedule::OneForwardOneBackward);
  }

  int message_operation() {
    const ParallelPlan& plan = context_.plan();
    const bool split =
        plan.sequence_parallel || context_.work.framework.communication.scatter_pipeline_messages;
    const Bytes message = hidden_state_bytes(context_.job()) / (split ? plan.tensor_parallel : 1);
    return operation_index(program_, CollectiveKind::SendReceive, message);
  }

  void write_pass(const Slot& slot) {
    if (slot.pass == Pass::Forward) {
      out_.compute(context_.work.framework.host.micro_batch.value, Activity::Other);
      gradients_->forward(slot);
    } else {
      gradients_->backward(slot, last_micro_batch(slot));
    }
  }

  void write_optimizer_step() {
    out_.set_slot(Work::GradientNorm, -1, 0);
    if (context_.plan().tensor_parallel * context_.plan().pipeline_parallel > 1) {
      out_.collective(Stream::Compute, Group::Model, Activity::Optimizer,
                      operation_index(program_, CollectiveKind::AllReduce, Bytes(8)));
    }
    out_.set_slot(Work::OptimizerStep, -1, 0);
    if (context_.plan().offload.optimizer) {
      gradients_->host_update();
    } else {
      update_on_device();
    }
    out_.compute(context_.work.framework.host.step.value, Activity::Other);
    gradients_->gather_parameters();
  }

  void update_on_device() {
    const Weights weights = weights_of(site_.all_chunks(), context_.work);
    const Bytes traffic(owned_weights(weights, context_.plan()) *
                        (context_.work.framework.kernels.optimizer_traffic.value *
                             optimizer_traffic_share(context_.work) +
                         mask_traffic_bytes(context_.job())));
    out_.compute(memory_bound_time(traffic, context_.work.device), Activity::Optimizer);
    out_.compute(orthogonalization_time(site_.all_chunks(), context_.work), Activity::Optimizer);
  }

  const StageSite& site_;
  const StepContext& context_;
  StepProgram& program_;
  RankProgram rank_;
  StreamWriter out_;
  std::optional<GradientSteps> gradients_;
};

}  // namespace

RankProgram write_stage(const StageSite& site, const StepContext& context, StepProgram& program) {
  return StageWriter(site, context, program).write();
}

}  // namespace stepcast
