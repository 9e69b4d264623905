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
  struct Waiting {
    int stream;
    Seconds tail;  // what it does on its own after the meeting
  };
  std::vector<Waiting> waiting;
  Seconds latest;
};

class AnalyticRun {
 public:
  AnalyticRun(const FoldedProgram& folded, const FusePlan& plan) : folded_(folded), plan_(plan) {
    timeline_.ranks.resize(folded.ranks.size());
    meetings_.resize(folded.communicators.size());
    for (std::size_t r = 0; r < folded.ranks.size(); ++r) {
      const auto events = static_cast<std::size_t>(folded.text(static_cast<int>(r)).num_events);
      events_.emplace_back(events, kNotYet);
      waiting_.emplace_back(events, -1);
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
          finish(stream, stream.now, stream.now,
                 stream.now + instruction_time(folded_, stream.rank_class, instruction));
          break;
        case InstructionKind::Call:
          if (!call(index, *plan_.at(stream.rank_class, instruction.index))) return;
          break;
        case InstructionKind::Collective:
        case InstructionKind::Send:
        case InstructionKind::Receive:
          if (!meet(index, as_meeting(stream, instruction))) return;
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

  FusedBlock as_meeting(const StreamState& stream, const Instruction& instruction) const {
    const int communicator = communicator_index(folded_, stream.rank_class, instruction);
    return {communicator, Seconds(),
            alone_time(folded_.communicators[static_cast<std::size_t>(communicator)],
                       instruction.operation),
            Seconds()};
  }

  bool call(int index, const FusedBlock& block) {
    if (block.communicator >= 0) return meet(index, block);
    StreamState& stream = streams_[static_cast<std::size_t>(index)];
    finish(stream, stream.now, stream.now, stream.now + block.body);
    return true;
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

  // False while others have not come yet; the last to come ends the instruction for all.
  bool meet(int index, const FusedBlock& block) {
    const auto communicator = static_cast<std::size_t>(block.communicator);
    Meeting& meeting = meetings_[communicator];
    const Seconds here = streams_[static_cast<std::size_t>(index)].now + block.head;
    meeting.latest = meeting.waiting.empty() ? here : std::max(meeting.latest, here);
    meeting.waiting.push_back({index, block.tail});
    if (meeting.waiting.size() < folded_.communicators[communicator].arrivals.size()) return false;
    const Seconds begin = meeting.latest;
    const std::vector<Meeting::Waiting> members = std::move(meeting.waiting);
    meeting.waiting.clear();
    for (const auto& [member, tail] : members) {
      StreamState& other = streams_[static_cast<std::size_t>(member)];
      finish(other, other.now, begin, begin + block.body + tail);
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
  const FusePlan& plan_;
  Timeline timeline_;
  std::vector<StreamState> streams_;
  std::vector<std::vector<double>> events_;  // [rank class][event]: when it happened
  std::vector<std::vector<int>> waiting_;    // [rank class][event]: the stream that waits for it
  std::vector<Meeting> meetings_;
  std::vector<int> runnable_;
};

}  // namespace

Timeline run_analytic(const FoldedProgram& folded, const FusePlan& plan) {
  return AnalyticRun(folded, plan).run();
}

}  // namespace stepcast
