// What a rank sends to its host and gets back under offload, and what the host computes for it, on
// the streams for that. The copies are flows on the node's PCIe and memory links.
#pragma once

#include <deque>
#include <vector>

#include "models/stage_blocks.h"
#include "models/stream_writer.h"

namespace stepcast {

/// Where one unit of a chunk keeps its activations: its tensors on the GPU and on the host.
struct Stash {
  int on_device = -1;
  int on_host = -1;  ///< -1: stays on the GPU
  Bytes size;
};

class HostTraffic {
 public:
  HostTraffic(const StepContext& context, StepProgram& program, RankProgram& rank,
              StreamWriter& out)
      : context_(context), program_(program), rank_(rank), out_(out) {}

  /// A new unit's tensors; the last unit of a chunk is used again at once and stays.
  Stash add_stash(Bytes size, bool stays);

  /// Around a unit's forward pass: room for what it keeps; then the copy to the host, beside the
  /// next unit. Two units are on the GPU at a time.
  void begin_forward(const Stash& stash);
  void end_forward(const Stash& stash);

  /// Before and after a unit's backward pass. `next`, the unit that follows, is fetched meanwhile.
  void begin_backward(const Stash& stash, const Stash* next);
  void end_backward(const Stash& stash);

  /// A unit's shard of the weights, fetched when `ready` (an event of the compute stream, or -1)
  /// has happened; `to` waits for it.
  void fetch_weights(Bytes shard, int ready, Stream to);

  /// Reduced gradients go to the host, once `from` has come so far. Where the host already holds
  /// those of an earlier micro-batch, they come to the GPU, are added to and go back.
  void save_gradients(Bytes shard, bool accumulates, Stream from);

  /// The optimizer on the host's cores, in tiles whose weights go back as soon as they are ready
  /// (`weights` empty: they stay). The compute stream waits for all of it.
  void update(double parameters, Bytes weights, int tiles);

  /// Updated weights of an optimizer on the GPU, whose home is the host.
  void save_weights(Bytes shard);

 private:
  struct Pending {
    int saved;  // event of the copy to the host
    int tensor;
  };
  void copy(Stream stream, Bytes bytes);
  void fetch(const Stash& stash);
  void release_down_to(std::size_t units);

  const StepContext& context_;
  StepProgram& program_;
  RankProgram& rank_;
  StreamWriter& out_;
  std::deque<Pending> pending_;
  int fetched_ = -1;  // event of the fetch that the next backward unit waits for
};

}  // namespace stepcast
