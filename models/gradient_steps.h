// The passes of a stage together with the data-parallel traffic that belongs to them: gradients
// reduced after or during the backward pass (ZeRO 0 to 2), parameters gathered and gradients
// scattered layer by layer (ZeRO 3).
#pragma once

#include <optional>
#include <vector>

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

  /// After the last slot: what is left to reduce, and the wait for it.
  void finish();

  /// After the optimizer: ZeRO 1 and 2 gather the updated parameters.
  void gather_parameters();

 private:
  // A part of a chunk's pass that data-parallel traffic looks into, with the weights it holds.
  struct Piece {
    int block;
    std::int64_t parameters;
  };
  struct ChunkBlocks {
    int forward;
    int backward;
    std::vector<Piece> forward_pieces;   // ZeRO 3: layer by layer; overlapped gather: by bucket
    std::vector<Piece> backward_pieces;  // ZeRO 3: layer by layer; overlapped reduction: by bucket
  };

  bool shards_parameters() const { return context_.plan().zero_stage >= 3; }
  int data_ranks() const {
    return context_.plan().data_parallel * context_.plan().context_parallel;
  }
  bool reduces_every_micro_batch() const;
  bool gathers_ahead() const;
  ChunkBlocks build_chunk(const ModelShare& share);
  std::vector<Piece> layer_pieces(Pass pass, const ModelShare& share);
  std::vector<Piece> bucket_pieces(Pass pass, const ModelShare& share);
  int layers_per_bucket() const;

  void sharded_pass(const std::vector<Piece>& pieces, bool reduce);
  void gather(const Piece& piece);
  void scatter_gradients(const Piece& piece);
  void gathered_forward(const std::vector<Piece>& pieces);
  void overlapped_backward(const std::vector<Piece>& pieces);
  void reduce(std::int64_t parameters);
  void data_collective(CollectiveKind kind, Group group, Bytes size, int messages);
  int messages_of(Bytes size) const;
  Stream traffic_stream() const;

  const StageSite& site_;
  const StepContext& context_;
  StepProgram& program_;
  RankProgram& rank_;
  StreamWriter& out_;
  std::vector<ChunkBlocks> chunks_;
};

}  // namespace stepcast
