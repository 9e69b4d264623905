#include "sim/analytic_engine.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/contract.h"
#include "sim/walk.h"

namespace stepcast {
namespace {

constexpr double kNotYet = std::numeric_limits<double>::quiet_NaN();

struct StreamState {
  StreamCursor cursor;
  std::vector<Span>& spans;
  int rank_class;
  Seconds now;
  Seconds block_begin;
};

// Streams that have come to a call of a communicator and wait for the others.
struct Meeting {
  std::vector<int> waiting;  // streams
  Seconds latest;
};

class AnalyticRun {
 public:
  AnalyticRun(const FoldedProgram& folded, const FusePlan& plan) : folded_(folded) {
    timeline_.ranks.resize(folded.ranks.size());
    meetings_.resize(folded.communicators.size());
    for (std::size_t r = 0; r < folded.ranks.size(); ++r) {
      const auto events = static_cast<std::size_t>(folded.text(static_cast<int>(r)).num_events);
      events_.emplace_back(events, kNotYet);
      waiting_.emplace_back(events, -1);
      block_times_.emplace_back();
      for (std::size_t b = 0; b < folded.text(static_cast<int>(r)).blocks.size(); ++b) {
        block_times_.back().push_back(block_time(folded, static_cast<int>(r), static_cast<int>(b)));
      }
      for (int s = 0; s < kNumStreams; ++s) {
        std::vector<Span>& spans = timeline_.ranks[r].streams[static_cast<std::size_t>(s)];
        streams_.push_back({StreamCursor(folded, plan, static_cast<int>(r), static_cast<Stream>(s)),
                            spans, static_cast<int>(r), Seconds(), Seconds()});
      }
    }
  }

  Timeline run() {
    for (std::size_t s = 0; s < streams_.size(); ++s) runnable_.push_back(static_cast<int>(s));
    while (!runnable_.empty()) {
      const int next = runnable_.back();
      runnable_.pop_back();
      walk(next);
    }
    STEPCAST_REQUIRES(std::all_of(streams_.begin(), streams_.end(),
                                  [](const StreamState& s) { return s.cursor.done(); }));
    return std::move(timeline_);
  }

 private:
  // Runs a stream until it ends or has to wait.
  void walk(int index) {
    StreamState& stream = streams_[static_cast<std::size_t>(index)];
    while (!stream.cursor.done()) {
      const Instruction& instruction = stream.cursor.current();
      switch (instruction.kind) {
        case InstructionKind::Compute:
        case InstructionKind::Call:
          finish(stream, stream.now, stream.now, stream.now + duration(stream, instruction));
          break;
        case InstructionKind::Collective:
        case InstructionKind::Send:
        case InstructionKind::Receive:
          if (!meet(index, instruction)) return;
          break;
        case InstructionKind::Record:
          record(stream, instruction.index);
          break;
        case InstructionKind::Wait:
          if (!wait(index, instruction.index)) return;
          break;
        case InstructionKind::Allocate:
        case InstructionKind::Free:
          stream.cursor.advance();
          break;
      }
    }
  }

  Seconds duration(const StreamState& stream, const Instruction& instruction) const {
    if (instruction.kind == InstructionKind::Call) {
      return block_times_[static_cast<std::size_t>(stream.rank_class)]
                         [static_cast<std::size_t>(instruction.index)];
    }
    return instruction_time(folded_, stream.rank_class, instruction);
  }

  // Ends the current instruction and notes its span: of a block as a whole, once it is left.
  void finish(StreamState& stream, Seconds begin, Seconds flow_begin, Seconds end) {
    ++timeline_.activities;
    const int outer = stream.cursor.outer();
    const bool inside = stream.cursor.in_block();
    if (inside && (stream.spans.empty() || stream.spans.back().instruction != outer)) {
      stream.spans.push_back({outer, begin, begin, end});
    }
    stream.now = end;
    stream.cursor.advance();
    if (inside) {
      stream.spans.back().end = end;
    } else {
      stream.spans.push_back({outer, begin, flow_begin, end});
    }
  }

  bool meet(int index, const Instruction& instruction) {
    StreamState& stream = streams_[static_cast<std::size_t>(index)];
    const auto communicator =
        static_cast<std::size_t>(folded_.ranks[static_cast<std::size_t>(stream.rank_class)]
                                     .communicators[static_cast<std::size_t>(instruction.index)]);
    const FoldedCommunicator& folded = folded_.communicators[communicator];
    Meeting& meeting = meetings_[communicator];
    meeting.latest = meeting.waiting.empty() ? stream.now : std::max(meeting.latest, stream.now);
    meeting.waiting.push_back(index);
    if (static_cast<int>(meeting.waiting.size()) < folded.arrivals) return false;
    const Seconds begin = meeting.latest;
    const Seconds end = begin + alone_time(folded, instruction.operation);
    const std::vector<int> members = std::move(meeting.waiting);
    meeting.waiting.clear();
    for (const int member : members) {
      StreamState& other = streams_[static_cast<std::size_t>(member)];
      finish(other, other.now, begin, end);
      if (member != index) runnable_.push_back(member);
    }
    return true;
  }

  void record(StreamState& stream, int event) {
    const auto rank = static_cast<std::size_t>(stream.rank_class);
    events_[rank][static_cast<std::size_t>(event)] = stream.now.value();
    const int waiter = waiting_[rank][static_cast<std::size_t>(event)];
    if (waiter >= 0) runnable_.push_back(waiter);
    stream.cursor.advance();
  }

  bool wait(int index, int event) {
    StreamState& stream = streams_[static_cast<std::size_t>(index)];
    const auto rank = static_cast<std::size_t>(stream.rank_class);
    const double happened = events_[rank][static_cast<std::size_t>(event)];
    if (std::isnan(happened)) {
      waiting_[rank][static_cast<std::size_t>(event)] = index;
      return false;
    }
    const Seconds end = std::max(stream.now, Seconds(happened));
    if (end > stream.now) {
      stream.spans.push_back({stream.cursor.outer(), stream.now, stream.now, end});
    }
    stream.now = end;
    stream.cursor.advance();
    return true;
  }

  const FoldedProgram& folded_;
  Timeline timeline_;
  std::vector<StreamState> streams_;
  std::vector<std::vector<double>> events_;  // [rank class][event]: when it happened
  std::vector<std::vector<int>> waiting_;    // [rank class][event]: the stream that waits for it
  std::vector<std::vector<Seconds>> block_times_;
  std::vector<Meeting> meetings_;
  std::vector<int> runnable_;
};

}  // namespace

Timeline run_analytic(const FoldedProgram& folded, const FusePlan& plan) {
  return AnalyticRun(folded, plan).run();
}

}  // namespace stepcast
