#include "models/host_traffic.h"

#include "models/offload.h"

namespace stepcast {

Stash HostTraffic::add_stash(Bytes size, bool stays) {
  Stash stash{.on_device = static_cast<int>(rank_.tensors.size()), .size = size};
  rank_.tensors.push_back({MemoryPart::Activations, size});
  if (stays || size <= Bytes()) return stash;
  stash.on_host = static_cast<int>(rank_.tensors.size());
  rank_.tensors.push_back({MemoryPart::Activations, size, true});
  return stash;
}

void HostTraffic::copy(Stream stream, Bytes bytes) {
  const bool to_host = stream == Stream::DeviceToHost;
  const CollectiveKind kind = to_host ? CollectiveKind::CopyToHost : CollectiveKind::CopyFromHost;
  out_.collective(stream, to_host ? Group::ToHost : Group::FromHost, Activity::HostTransfer,
                  operation_index(program_, kind, bytes));
}

void HostTraffic::release_down_to(std::size_t units) {
  while (pending_.size() > units) {
    out_.wait(Stream::Compute, pending_.front().saved, Activity::HostTransfer);
    out_.memory(InstructionKind::Free, pending_.front().tensor);
    pending_.pop_front();
  }
}

void HostTraffic::begin_forward(const Stash& stash) {
  release_down_to(1);
  out_.memory(InstructionKind::Allocate, stash.on_device);
}

void HostTraffic::end_forward(const Stash& stash) {
  if (stash.on_host < 0) return;
  out_.memory(InstructionKind::Allocate, stash.on_host);
  out_.join(Stream::Compute, Stream::DeviceToHost, Activity::Other);
  copy(Stream::DeviceToHost, stash.size);
  pending_.push_back({out_.record(Stream::DeviceToHost), stash.on_device});
}

void HostTraffic::fetch(const Stash& stash) {
  fetched_ = -1;
  if (stash.on_host < 0) return;
  out_.memory(InstructionKind::Allocate, stash.on_device);
  out_.join(Stream::Compute, Stream::HostToDevice, Activity::Other);
  copy(Stream::HostToDevice, stash.size);
  fetched_ = out_.record(Stream::HostToDevice);
}

void HostTraffic::begin_backward(const Stash& stash, const Stash* next) {
  release_down_to(0);
  const bool first_of_pass = fetched_ < 0 && stash.on_host >= 0;
  if (first_of_pass) fetch(stash);
  const int fetched = fetched_;
  fetched_ = -1;
  if (next != nullptr) fetch(*next);
  if (fetched >= 0) out_.wait(Stream::Compute, fetched, Activity::HostTransfer);
}

void HostTraffic::end_backward(const Stash& stash) {
  out_.memory(InstructionKind::Free, stash.on_device);
  if (stash.on_host >= 0) out_.memory(InstructionKind::Free, stash.on_host);
}

void HostTraffic::fetch_weights(Bytes shard, int ready, Stream to) {
  if (ready >= 0) out_.wait(Stream::HostToDevice, ready, Activity::Other);
  copy(Stream::HostToDevice, shard);
  out_.join(Stream::HostToDevice, to, Activity::HostTransfer);
}

void HostTraffic::save_gradients(Bytes shard, bool accumulates, Stream from) {
  if (accumulates) {
    out_.join(from, Stream::HostToDevice, Activity::Other);
    copy(Stream::HostToDevice, shard);
    out_.join(Stream::HostToDevice, Stream::DeviceToHost, Activity::HostTransfer);
  } else {
    out_.join(from, Stream::DeviceToHost, Activity::Other);
  }
  copy(Stream::DeviceToHost, shard);
}

void HostTraffic::update(double parameters, Bytes weights, int tiles) {
  // All gradients must be there: their norm may clip them. The GPU decides that, so both are
  // joined.
  out_.join(Stream::Compute, Stream::HostCompute, Activity::Other);
  out_.join(Stream::DeviceToHost, Stream::HostCompute, Activity::HostTransfer);
  const int operation = operation_index(program_, CollectiveKind::HostUpdate,
                                        host_update_traffic(parameters / tiles, context_.work));
  for (int tile = 0; tile < tiles; ++tile) {
    out_.collective(Stream::HostCompute, Group::HostMemory, Activity::Optimizer, operation);
    if (weights <= Bytes()) continue;
    out_.join(Stream::HostCompute, Stream::HostToDevice, Activity::Other);
    copy(Stream::HostToDevice, weights / tiles);
  }
  out_.join(Stream::DeviceToHost, Stream::Compute, Activity::HostTransfer);
  out_.join(Stream::HostCompute, Stream::Compute, Activity::Optimizer);
  out_.join(Stream::HostToDevice, Stream::Compute, Activity::HostTransfer);
}

void HostTraffic::save_weights(Bytes shard) {
  out_.join(Stream::Compute, Stream::DeviceToHost, Activity::Other);
  copy(Stream::DeviceToHost, shard);
  out_.join(Stream::DeviceToHost, Stream::Compute, Activity::HostTransfer);
}

}  // namespace stepcast
