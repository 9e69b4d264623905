#include "models/gradient_traffic.h"

#include <algorithm>
#include <cmath>

namespace stepcast {

int messages_of(Bytes size, Bytes bucket) {
  return bucket > Bytes() ? std::max(1, static_cast<int>(std::ceil(size / bucket))) : 1;
}

// Of ZeRO 3: one communicator takes its messages one by one, so that all stand in one stream.
Stream GradientTraffic::unit_stream() const {
  const bool beside = *plan().overlap_parameter_gather || *plan().overlap_gradient_reduce;
  return beside ? Stream::Data : Stream::Compute;
}

void GradientTraffic::gather_unit(const Piece& unit, int ready) {
  if (unit.parameters == 0) return;
  const int shards = shard_ranks(plan());
  if (plan().offload.parameters) fetch_unit(unit, ready);
  if (shards == 1 && !shares_experts(unit)) return;
  const bool joins = unit_stream() == Stream::Data;
  if (joins && !*plan().overlap_parameter_gather) {
    out_.join(Stream::Compute, Stream::Data, Activity::Other);
  }
  const auto gather = [&](Group group, std::int64_t parameters) {
    const Bytes size(parameter_gather_bytes(context_.work) * static_cast<double>(parameters));
    in_messages(unit_stream(), CollectiveKind::AllGather, group, size,
                gather_units(context_.work).messages);
  };
  if (shards > 1) gather(Group::Shard, unit.parameters);
  if (shares_experts(unit)) gather(Group::ExpertData, unit.expert_parameters);
  if (joins) out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
  Seconds restored = dequantization_time(unit.parameters, context_.work);
  if (shares_experts(unit)) {
    const TrainingJob of_experts = job_of_experts(context_.job());
    restored += dequantization_time(unit.expert_parameters,
                                    {of_experts, context_.work.framework, context_.work.device});
  }
  out_.compute(restored, Activity::Compute);
}

// This rank's shards of a unit, from the host.
void GradientTraffic::fetch_unit(const Piece& unit, int ready) {
  const int shards = shard_ranks(plan());
  const double owned = static_cast<double>(unit.parameters) / shards +
                       static_cast<double>(unit.expert_parameters) / expert_ranks();
  const bool gathered = shards > 1 || shares_experts(unit);
  host_.fetch_weights(Bytes(bytes_per_element(context_.job().precision) * owned), ready,
                      gathered ? unit_stream() : Stream::Compute);
}

void GradientTraffic::scatter_unit(const Piece& unit, bool accumulates) {
  if (unit.trained == 0) return;
  const bool reduces = data_ranks() > 1 || shares_experts(unit);
  const bool joins = reduces && unit_stream() == Stream::Data;
  if (joins) out_.join(Stream::Compute, Stream::Data, Activity::Other);
  scatter_trained(unit.trained);
  if (shares_experts(unit)) scatter_experts(unit.expert_parameters);
  const int shards = shard_ranks(plan());
  if (shards < data_ranks()) {
    const Bytes size(gradient_reduce_bytes(context_.work) * static_cast<double>(unit.trained));
    in_messages(unit_stream(), CollectiveKind::AllReduce, Group::Replica, size / shards, 1);
  }
  save_gradients(unit, accumulates, reduces ? unit_stream() : Stream::Compute);
  if (joins && !*plan().overlap_gradient_reduce) {
    out_.join(Stream::Data, Stream::Compute, Activity::DataCommunication);
  }
}

void GradientTraffic::scatter_trained(std::int64_t trained) {
  if (shard_ranks(plan()) == 1) return;
  if (plan().gradient_compression) {
    send_compressed(unit_stream(), Group::Shard, trained);
    return;
  }
  const Bytes size(gradient_reduce_bytes(context_.work) * static_cast<double>(trained));
  const bool in_buckets = plan().sharding.reduce_bucket.has_value();
  in_messages(unit_stream(), CollectiveKind::ReduceScatter, Group::Shard, size,
              in_buckets ? messages_of(size, reduce_bucket(context_))
                         : gather_units(context_.work).messages);
}

// Over the ranks that hold the same ones.
void GradientTraffic::scatter_experts(std::int64_t parameters) {
  if (plan().gradient_compression) {
    send_experts_compressed(unit_stream(), parameters);
    return;
  }
  const Bytes size(gradient_reduce_bytes(context_.work) * static_cast<double>(parameters));
  in_messages(unit_stream(), CollectiveKind::ReduceScatter, Group::ExpertData, size,
              messages_of(size, reduce_bucket(context_)));
}

void GradientTraffic::reduce(const Weights& weights, bool accumulates) {
  if (plan().gradient_compression) {
    if (data_ranks() > 1) send_compressed(Stream::Data, Group::Data, weights.trained);
    if (shares_experts(weights)) {
      send_experts_compressed(Stream::Data, weights.expert_parameters);
    }
  } else {
    const CollectiveKind kind =
        plan().zero_stage > 0 ? CollectiveKind::ReduceScatter : CollectiveKind::AllReduce;
    everywhere(kind, gradient_reduce_bytes(context_.work), weights, reduce_bucket(context_));
  }
  save_gradients(weights, accumulates, Stream::Data);
}

void GradientTraffic::gather(const Weights& weights, Bytes bucket) {
  everywhere(CollectiveKind::AllGather, parameter_gather_bytes(context_.work), weights, bucket);
}

// A collective over the trained weights that data ranks share, and one over the experts'.
void GradientTraffic::everywhere(CollectiveKind kind, double bytes, const Weights& weights,
                                 Bytes bucket) {
  const auto over = [&](Group group, int ranks, std::int64_t count) {
    if (ranks == 1 || count == 0) return;
    const Bytes size(bytes * static_cast<double>(count));
    in_messages(Stream::Data, kind, group, size, messages_of(size, bucket));
  };
  over(Group::Data, data_ranks(), weights.trained);
  over(Group::ExpertData, expert_ranks(), weights.expert_parameters);
}

// Kernels that compress run on the compute stream in front of the messages; what comes back is
// decompressed after the micro-batch, the last one's once nothing is left to overlap with.
void GradientTraffic::send_compressed(Stream stream, Group group, std::int64_t parameters) {
  send(compressed_reduction(parameters, context_.work), stream, group);
}

void GradientTraffic::send_experts_compressed(Stream stream, std::int64_t parameters) {
  const TrainingJob job = job_of_experts(context_.job());
  const WorkContext of_experts{job, context_.work.framework, context_.work.device};
  send(compressed_reduction(parameters, of_experts), stream, Group::ExpertData);
}

void GradientTraffic::send(const CompressedReduction& reduction, Stream stream, Group group) {
  out_.compute(reduction.before, Activity::Compute);
  if (stream != Stream::Compute) out_.join(Stream::Compute, stream, Activity::Other);
  for (const Operation& operation : reduction.sent) {
    out_.collective(stream, group, Activity::DataCommunication,
                    operation_index(program_, operation.kind, operation.message));
  }
  decompression_ += reduction.after;
}

void GradientTraffic::decompress() {
  out_.compute(decompression_, Activity::Compute);
  decompression_ = Seconds();
}

void GradientTraffic::save_gradients(const Weights& weights, bool accumulates, Stream from) {
  if (!plan().offload.optimizer) return;
  const double bytes = state_bytes(context_.work).gradient;
  host_.save_gradients(Bytes(bytes * owned_weights(weights, plan())), accumulates, from);
}

// `size` bytes in equal messages, one after the other.
void GradientTraffic::in_messages(Stream stream, CollectiveKind kind, Group group, Bytes size,
                                  int messages) {
  const int operation = operation_index(program_, kind, size / messages);
  for (int i = 0; i < messages; ++i) {
    out_.collective(stream, group, Activity::DataCommunication, operation);
  }
}

}  // namespace stepcast
