#include "models/split_backward_slots.h"

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

namespace stepcast {
namespace {

// Writes slots; every pass of a chunk takes the micro-batches in turn.
class SlotWriter {
 public:
  void forward(int chunk, bool with_next = false) { add(Pass::Forward, chunk, with_next); }
  void backward(int chunk) { add(Pass::Backward, chunk); }
  void input_gradient(int chunk) {
    add(Pass::InputGradient, chunk);
    pending_.push_back(slots_.back());
  }
  // The oldest weight gradient that is left, of a chunk or of any.
  void weight_gradient(int chunk) {
    finish(std::find_if(pending_.begin(), pending_.end(),
                        [&](const Slot& slot) { return slot.chunk == chunk; }));
  }
  void weight_gradient() { finish(pending_.begin()); }

  int forward_passes(int chunk) const { return forward_[static_cast<std::size_t>(chunk)]; }
  int pending() const { return static_cast<int>(pending_.size()); }
  std::vector<Slot> take() { return std::move(slots_); }

 private:
  // Whole and halved backward passes take the micro-batches in one turn.
  void add(Pass pass, int chunk, bool with_next = false) {
    std::array<int, 2>& next = pass == Pass::Forward ? forward_ : backward_;
    slots_.push_back({pass, next[static_cast<std::size_t>(chunk)]++, chunk, with_next});
  }
  void finish(std::deque<Slot>::iterator input) {
    slots_.push_back({Pass::WeightGradient, input->micro_batch, input->chunk});
    pending_.erase(input);
  }

  std::vector<Slot> slots_;
  std::deque<Slot> pending_;      // input gradients whose weight gradients are left
  std::array<int, 2> forward_{};  // [chunk] passes so far
  std::array<int, 2> backward_{};
};

}  // namespace

std::vector<Slot> zero_bubble_slots(const PipelineShape& shape, int stage) {
  const int micro_batches = shape.micro_batches;
  const int ahead = std::min(shape.stages - 1 - stage, micro_batches);
  SlotWriter slots;
  const auto backward = [&] {
    slots.input_gradient(0);
    if (slots.pending() > stage) slots.weight_gradient();
  };
  for (int i = 0; i < ahead; ++i) slots.forward(0);
  for (int i = ahead; i < micro_batches; ++i) {
    slots.forward(0);
    backward();
  }
  for (int i = 0; i < ahead; ++i) backward();
  while (slots.pending() > 0) slots.weight_gradient();
  return slots.take();
}

// Written for at least 2 p - 1 micro-batches; of fewer, those that are not there are left out.
std::vector<Slot> zero_bubble_v_slots(const PipelineShape& shape, int stage) {
  const int below = shape.stages - stage;
  const int micro_batches = std::max(2 * shape.stages - 1, shape.micro_batches);
  SlotWriter slots;
  const auto backward = [&](int chunk) {
    slots.input_gradient(chunk);
    slots.weight_gradient(chunk);
  };
  for (int i = 0; i < 2 * below - 1; ++i) slots.forward(0);
  for (int i = 0; i < stage; ++i) {
    slots.forward(1);
    slots.forward(0);
  }
  for (int i = 0; i < below; ++i) {
    slots.forward(1);
    backward(1);
  }
  while (slots.forward_passes(1) < micro_batches) {
    if (slots.forward_passes(0) < micro_batches) slots.forward(0);
    backward(0);
    slots.forward(1);
    backward(1);
  }
  for (int i = 0; i < stage; ++i) {
    slots.input_gradient(0);
    slots.input_gradient(1);
  }
  for (int i = 0; i < below; ++i) backward(0);
  while (slots.pending() > 0) slots.weight_gradient();
  std::vector<Slot> all = slots.take();
  std::erase_if(all, [&](const Slot& slot) { return slot.micro_batch >= shape.micro_batches; });
  return all;
}

// `near` is the direction whose first stage is nearer, `far` the other. The steps are those of
// DualPipe's own step(): fill, main part of pairs, drain.
std::vector<Slot> dual_pipe_slots(const PipelineShape& shape, int stage) {
  const int half = shape.stages / 2;
  const int edge = std::min(stage, shape.stages - 1 - stage);  // distance from the nearer end
  const int inner = half - edge - 1;                           // and from the middle
  const int near = stage < half ? 0 : 1;
  const int far = 1 - near;
  const int pairs = shape.micro_batches / 2 - shape.stages + edge + 1;
  SlotWriter slots;
  const auto together = [&](int forward, int backward) {
    slots.forward(forward, true);
    slots.backward(backward);
  };
  for (int i = 0; i < 2 * inner; ++i) slots.forward(near);
  for (int i = 0; i < edge + 1; ++i) {
    slots.forward(near);
    slots.forward(far);
  }
  for (int i = 0; i < inner; ++i) {
    slots.input_gradient(far);
    slots.weight_gradient();
    slots.forward(far);
  }
  for (int i = 0; i < pairs; ++i) {
    const bool apart = i == 0 && inner == 0;  // overlapping them would lengthen the bubble
    if (apart) {
      slots.forward(near);
      slots.backward(far);
    } else {
      together(near, far);
    }
    together(far, near);
  }
  for (int i = 0; i < inner; ++i) {
    slots.backward(far);
    together(far, near);
  }
  // The second half of what is left splits its backward passes.
  const int whole = edge + 1;  // of the 2 (edge + 1) passes, in turn far and near
  for (int i = 0; i < 2 * (edge + 1); ++i) {
    const int direction = i % 2 == 0 ? far : near;
    if (i < whole) {
      slots.backward(direction);
    } else {
      slots.input_gradient(direction);
    }
  }
  for (int i = 0; i < inner; ++i) {
    slots.weight_gradient();
    slots.input_gradient(near);
  }
  while (slots.pending() > 0) slots.weight_gradient();
  return slots.take();
}

}  // namespace stepcast
