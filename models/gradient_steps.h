// The passes of a stage together with the data-parallel traffic that belongs to them: gradients
// reduced after or during the backward pass (ZeRO 0 to 2), parameters gathered and gradients
// scattered unit by unit (ZeRO 3), and what offload sends to the host meanwhile.
#pragma once

#include <vector>

#include "models/chunk_pieces.h"
#include "models/gradient_traffic.h"
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
  void host_update();

  /// After the optimizer: ZeRO 1 and 2 gather the updated parameters.
  void gather_parameters();

 private:
  const ParallelPlan& plan() const { return context_.plan(); }
  bool shards_parameters() const { return plan().zero_stage >= 3; }
  bool reduces_every_micro_batch() const;
  bool accumulates(const Slot& slot) const {
    return slot.micro_batch > 0 && reduces_every_micro_batch();
  }
  const ChunkBlocks& blocks_of(const Slot& slot) const {
    return chunks_[static_cast<std::size_t>(slot.chunk)];
  }
  const ModelShare& share_of(const Slot& slot) const {
    return site_.chunks[static_cast<std::size_t>(slot.chunk)];
  }

  void pass_by_units(Pass pass, const Slot& slot, bool reduce);
  void begin_unit(Pass pass, const ChunkBlocks& blocks, std::size_t unit);
  void end_unit(Pass pass, const ChunkBlocks& blocks, std::size_t unit);
  void gathered_forward(const std::vector<Piece>& pieces);
  bool backward_pass(const Slot& slot, bool reduce);
  void overlapped_backward(const std::vector<Piece>& pieces, const Slot& slot);
  void reduce_behind(const Weights& weights, bool accumulates);
  void accumulate(const ModelShare& share);
  int reduce_the_rest();
  void reduce_shared_table();

  const StageSite& site_;
  const StepContext& context_;
  StepProgram& program_;
  RankProgram& rank_;
  StreamWriter& out_;
  HostTraffic host_;
  GradientTraffic traffic_;
  std::vector<ChunkBlocks> chunks_;
};

}  // namespace stepcast
