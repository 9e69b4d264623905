// The passes of a stage together with the data-parallel traffic that belongs to them: gradients
// reduced after or during the backward pass (ZeRO 0 to 2), parameters gathered and gradients
// scattered unit by unit (ZeRO 3), and what offload sends to the host meanwhile.
#pragma once

#include <optional>
#include <vector>

#include "models/gradient_compression.h"
#include "models/host_traffic.h"
#include "models/stage_writer.h"
#include "models/stream_writer.h"

namespace stepcast {

class GradientSteps {
 public:
  GradientSteps(const StageSite& site, const StepContext& context, StepProgram& program,
                RankProgram& rank, StreamWriter& out);

  /// The forward and the backward pass of a slot, on the compute stream.
  void forward(const Slot& slot);
  void backward(const Slot& slot, bool last_micro_batch);
  /// Both together, of different micro-batches.
  void forward_and_backward(const Slot& forward, const Slot& backward);

  /// After the last slot: what is left to reduce, and the wait for it.
  void finish();

  /// Where the plan offloads the optimizer: its step on the host.
  void host_update(std::int64_t parameters);

  /// After the optimizer: ZeRO 1 and 2 gather the updated parameters.
  void gather_parameters();

 private:
  // Weights on this rank that all data ranks hold, and routed experts'.
  struct Weights {
    std::int64_t parameters = 0;
    std::int64_t expert_parameters = 0;
    std::int64_t trained = 0;  // of `parameters`: those with gradients
  };
  // A part of a chunk's pass that data-parallel or host traffic looks into, with the weights it
  // holds.
  struct Piece : Weights {
    Passage block;
  };
  struct ChunkBlocks {
    Passage forward;
    Passage backward;
    Passage input_gradient;  // of split backward passes
    Passage weight_gradient;
    Passage forward_with_other;          // DualPipe: with the backward pass of the other chunk
    std::vector<Piece> forward_pieces;   // by unit or overlapped gather: by bucket
    std::vector<Piece> backward_pieces;  // by unit or overlapped reduction: by bucket
    std::vector<Stash> stashes;          // activations offloaded: of the forward pieces
  };

  bool shards_parameters() const { return context_.plan().zero_stage >= 3; }
  bool offloads_activations() const { return context_.plan().offload.activations; }
  bool gathers_beside() const { return *context_.plan().overlap_parameter_gather; }
  bool reduces_beside() const { return *context_.plan().overlap_gradient_reduce; }
  int data_ranks() const { return data_group_size(context_.plan()); }
  int expert_ranks() const { return expert_data_group_size(context_.plan()); }
  bool reduces_every_micro_batch() const;
  bool overlaps_reduction() const;
  bool gathers_ahead() const;
  bool shares_experts(const Weights& weights) const {
    return weights.expert_parameters > 0 && expert_ranks() > 1;
  }
  ChunkBlocks build_chunk(const ModelShare& share);
  std::vector<Piece> unit_pieces(Pass pass, const ModelShare& share);
  std::vector<Piece> bucket_pieces(Pass pass, const ModelShare& share);
  std::vector<Stash> add_stashes(const ModelShare& share);
  int layers_per_bucket() const;
  int layers_per_unit() const;

  void pass_by_units(Pass pass, const ChunkBlocks& blocks, const Slot& slot, bool reduce);
  void begin_unit(Pass pass, const ChunkBlocks& blocks, std::size_t unit);
  void end_unit(Pass pass, const ChunkBlocks& blocks, std::size_t unit);
  void gather(const Piece& piece, int ready);
  void scatter_gradients(const Piece& piece, const Slot& slot);
  void gathered_forward(const std::vector<Piece>& pieces);
  void overlapped_backward(const std::vector<Piece>& pieces, const Slot& slot);
  void gather_experts(std::int64_t parameters);
  void scatter_experts(std::int64_t parameters);
  void send_compressed(Stream stream, Group group, std::int64_t parameters);
  void send_experts_compressed(Stream stream, std::int64_t parameters);
  void send(const CompressedReduction& reduction, Stream stream, Group group);
  void accumulate(const ModelShare& share);
  Weights weights_of(const ModelShare& share) const;
  static Weights with_gradients(const Weights& weights);
  void reduce(const Weights& weights, bool accumulates);
  void everywhere(CollectiveKind kind, double bytes, const Weights& weights, Bytes bucket);
  void decompress();
  void save_gradients(std::int64_t parameters, bool accumulates, Stream from);
  void data_collective(Stream stream, CollectiveKind kind, Group group, Bytes size, int messages);
  Stream traffic_stream() const;

  const StageSite& site_;
  const StepContext& context_;
  StepProgram& program_;
  RankProgram& rank_;
  StreamWriter& out_;
  HostTraffic host_;
  Seconds decompression_;  // of gradients that came back and are not yet accumulated
  std::vector<ChunkBlocks> chunks_;
};

}  // namespace stepcast
