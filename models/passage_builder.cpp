#include "models/passage_builder.h"

#include <algorithm>

namespace stepcast {

void PassageBuilder::compute(Seconds duration, Activity activity) {
  if (duration < 1_ns) return;
  if (activity == Activity::Compute) duration *= context_.straggling * slowdown_;
  block_.body.push_back({.kind = InstructionKind::Compute,
                         .activity = activity,
                         .work = work_of(pass_),
                         .duration = duration});
  busy_ += duration;
}

bool PassageBuilder::sends(const Exchange& exchange) const {
  return context_.layout(exchange.group).ranks > 1 && exchange.message > Bytes();
}

Seconds PassageBuilder::alone(const Exchange& exchange) const {
  const GroupLayout& layout = context_.layout(exchange.group);
  return alone_time(plan_transfer(exchange.kind, exchange.message, layout, context_.network),
                    layout);
}

void PassageBuilder::collective(const Exchange& exchange) {
  if (!sends(exchange)) return;
  block_.body.push_back({.kind = InstructionKind::Collective,
                         .activity = exchange.activity,
                         .work = work_of(pass_),
                         .index = static_cast<int>(exchange.group),
                         .operation = operation_index(program_, exchange.kind, exchange.message)});
  const Seconds time = alone(exchange);
  busy_ += time;
  communicating_ += time;
  ++collectives_;
}

void PassageBuilder::pace(const Pace& before, Seconds host) {
  const bool waits = context_.work.framework.host.waits_for_tensor_collectives;
  const Seconds communication = waits ? communicating_ - before.communicating : Seconds();
  const Seconds gpu = busy_ - before.busy - communication;
  const int collectives = collectives_ - before.collectives;
  const Seconds paced = paced_by_host(gpu, host, context_.job().runtime.launch_blocking) +
                        communication + collectives * context_.crossing_tensor_collective;
  const Seconds floor = collectives * context_.slow_tensor_collective;
  compute(paced_by_host(paced, floor, false) - gpu - communication, Activity::Other);
}

void PassageBuilder::add_memory(InstructionKind kind, const std::vector<int>& tensors) {
  for (const int tensor : tensors) {
    block_.allocations.push_back({static_cast<std::int32_t>(block_.body.size()), kind, tensor});
  }
}

void PassageBuilder::allocate(const std::vector<int>& tensors) {
  add_memory(InstructionKind::Allocate, tensors);
}

void PassageBuilder::free(const std::vector<int>& tensors) {
  add_memory(InstructionKind::Free, tensors);
}

void PassageBuilder::free_stash(const std::vector<int>& tensors) {
  if (holds_stashes_) {
    held_.insert(held_.end(), tensors.begin(), tensors.end());
  } else {
    free(tensors);
  }
}

// Allocations that no instruction has followed yet go with the next block.
void PassageBuilder::close_block() {
  if (!block_.body.empty()) push_block();
}

void PassageBuilder::push_block() {
  rank_.blocks.push_back(std::move(block_));
  block_ = {};
  passage_.push_back({.block = static_cast<int>(rank_.blocks.size()) - 1});
}

void PassageBuilder::close_beside(const Exchange& exchange, Seconds busy_before) {
  PassageStep step{.group = exchange.group,
                   .operation = operation_index(program_, exchange.kind, exchange.message),
                   .activity = exchange.activity};
  if (!block_.body.empty()) {
    close_block();
    step.block = passage_.back().block;
    passage_.pop_back();
  }
  passage_.push_back(step);
  const Seconds exposed = std::max(Seconds(), alone(exchange) - (busy_ - busy_before));
  busy_ += exposed;
  communicating_ += exposed;
  ++collectives_;
}

Passage PassageBuilder::take() {
  free(held_);
  if (passage_.empty() || !block_.body.empty() || !block_.allocations.empty()) push_block();
  return std::move(passage_);
}

}  // namespace stepcast
