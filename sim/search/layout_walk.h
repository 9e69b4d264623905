// Walks a layout's slots in schedule order: the exact analytic time of a step, and a bound of it
// that is cheaper still.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "base/units.h"
#include "sim/search/layout_text.h"

namespace stepcast {

/// [stage]: sections of a layout's slots in the order of its schedule, the step's end last.
using SlotOrder = std::vector<std::vector<int>>;
SlotOrder slot_order(Schedule schedule, const PipelineShape& shape, const LayoutText& text);

/// Keeps its memory from one walk to the next.
class LayoutWalk {
 public:
  /// When the last stream ends. Requires a text that can be walked.
  Seconds run(const LayoutText& text, const SlotOrder& order);

 private:
  struct StageState {
    std::array<double, kNumStreams> clocks{};
    std::size_t slot = 0;
    const ClockInstruction* resume_at = nullptr;  // null: the beginning of the slot
    int meeting_round = -1;                       // of the meeting that it waits in
  };
  // Messages of one direction between two stages travel one after the other.
  struct Channel {
    std::vector<double> arrivals;  // of the messages sent so far
    std::size_t received = 0;
    double free_at = 0;

    double send(double ready, double time) {
      free_at = std::max(ready, free_at) + time;
      arrivals.push_back(free_at);
      return free_at;
    }
    bool has_arrived() const { return received < arrivals.size(); }
    double receive() { return arrivals[received++]; }
  };
  struct Meeting {
    int arrived = 0;
    int round = 0;
    double latest = 0;
    double end = 0;  // of the last round
  };

  void reset(const LayoutText& text);
  bool advance(std::size_t stage, const LayoutText& text, const std::vector<int>& order);
  static bool wait_at(StageState& state, const ClockInstruction* instruction, bool moved);
  bool meet(StageState& state, const ClockInstruction& instruction, int size);

  std::vector<StageState> stages_;
  std::vector<Channel> channels_;
  std::vector<Meeting> meetings_;
  std::vector<double> events_;  // [stage * text.num_events + event]
};

/// At most the walk's time: for every stage, what must come before its first slot, its own compute,
/// and what must come after its last slot.
Seconds stage_bound(const LayoutText& text, int micro_batches);

/// At most the walk's time, of any layout: the longest of the stages' own compute.
Seconds compute_bound(const LayoutText& text, int micro_batches);

/// The most that any stage holds at one time, in the order of its slots.
Bytes peak_memory(const LayoutText& text, const SlotOrder& order);

}  // namespace stepcast
