// What data-parallel ranks send each other: gradients reduced or scattered, weights gathered, whole
// or compressed, and on to the host where it holds them. When, is gradient_steps.h's business.
#pragma once

#include "models/chunk_pieces.h"
#include "models/gradient_compression.h"
#include "models/host_traffic.h"
#include "models/stream_writer.h"

namespace stepcast {

class GradientTraffic {
 public:
  GradientTraffic(const StepContext& context, StepProgram& program, StreamWriter& out,
                  HostTraffic& host)
      : context_(context), program_(program), out_(out), host_(host) {}

  /// ZeRO 3: a unit's weights, of experts too, in front of the unit. `ready`: the event from which
  /// on the host may send its shard, -1 for at once.
  void gather_unit(const Piece& unit, int ready);
  /// ZeRO 3: a unit's gradients, behind it. `accumulates`: the host may hold those of earlier
  /// micro-batches.
  void scatter_unit(const Piece& unit, bool accumulates);

  /// ZeRO 0 to 2: gradients over the data group, and of experts' over the ranks that hold the same
  /// experts: summed whole, or scattered where ZeRO shards the optimizer.
  void reduce(const Weights& weights, bool accumulates);
  /// ZeRO 1 and 2: updated weights, in messages of `bucket` bytes; 0: whole.
  void gather(const Weights& weights, Bytes bucket);

  /// Kernels on what came back compressed since the last time.
  void decompress();

 private:
  const ParallelPlan& plan() const { return context_.plan(); }
  int data_ranks() const { return data_group_size(plan()); }
  int expert_ranks() const { return expert_data_group_size(plan()); }
  bool shares_experts(const Weights& weights) const {
    return weights.expert_parameters > 0 && expert_ranks() > 1;
  }
  Stream unit_stream() const;
  void everywhere(CollectiveKind kind, double bytes, const Weights& weights, Bytes bucket);
  void fetch_unit(const Piece& unit, int ready);
  void scatter_trained(std::int64_t trained);
  void scatter_experts(std::int64_t parameters);
  void send_compressed(Stream stream, Group group, std::int64_t parameters);
  void send_experts_compressed(Stream stream, std::int64_t parameters);
  void send(const CompressedReduction& reduction, Stream stream, Group group);
  void save_gradients(const Weights& weights, bool accumulates, Stream from);
  void in_messages(Stream stream, CollectiveKind kind, Group group, Bytes size, int messages);

  const StepContext& context_;
  StepProgram& program_;
  StreamWriter& out_;
  HostTraffic& host_;
  Seconds decompression_;  // of gradients that came back and are not yet accumulated
};

/// How many messages of at most `bucket` bytes `size` is sent in; 0: one.
int messages_of(Bytes size, Bytes bucket);

}  // namespace stepcast
