#include "sim/simgrid/event_engine.h"

#include <algorithm>
#include <memory>
#include <simgrid/s4u.hpp>

#include "base/contract.h"
#include "sim/simgrid/platform.h"
#include "sim/simgrid/settings.h"
#include "sim/walk.h"

namespace stepcast {
namespace {

namespace sg = simgrid::s4u;

Seconds now() { return Seconds(sg::Engine::get_clock()); }

// Sleeping no time would still yield.
void pass(Seconds duration) {
  if (duration > Seconds()) sg::this_actor::sleep_for(duration.value());
}

// Something that happens once; the streams that come before it are suspended until then. Nothing
// between noting the actor and suspending it yields, so no wake-up is lost.
class Gate {
 public:
  void wait() {
    if (open_) return;
    waiting_.push_back(sg::Actor::self());
    sg::this_actor::suspend();
  }
  void open() {
    open_ = true;
    for (sg::Actor* actor : waiting_) actor->resume();
    waiting_.clear();
  }

 private:
  bool open_ = false;
  std::vector<sg::Actor*> waiting_;
};

// One call of a communicator: how many have come, and when the flow ran.
struct Call {
  std::size_t arrived = 0;
  Seconds flow_begin;
  Gate finished;
};

class EventRun {
 public:
  EventRun(const FoldedProgram& folded, const FusePlan& plan, Platform platform)
      : folded_(folded), plan_(plan), platform_(std::move(platform)) {
    timeline_.ranks.resize(folded.ranks.size());
    calls_.resize(folded.communicators.size());
    for (std::size_t r = 0; r < folded.ranks.size(); ++r) {
      events_.emplace_back(static_cast<std::size_t>(folded.text(static_cast<int>(r)).num_events));
    }
  }

  Timeline run(sg::Engine& engine) {
    for (const Path& path : platform_.background) start_background(path);
    int started = 0;
    for (std::size_t r = 0; r < folded_.ranks.size(); ++r) {
      for (int s = 0; s < kNumStreams; ++s)
        start_stream(static_cast<int>(r), static_cast<Stream>(s), started);
    }
    engine.run();
    STEPCAST_REQUIRES(finished_ == started);
    return std::move(timeline_);
  }

 private:
  // Sends as long as the step lasts: a daemon ends with the last stream.
  void start_background(const Path& path) const {
    constexpr std::uint64_t more_than_a_step_moves = 1'000'000'000'000'000;
    sg::Actor::create("background", platform_.walkers, [path] {
      while (true) sg::Comm::sendto(path.from, path.to, more_than_a_step_moves);
    })->daemonize();
  }

  void start_stream(int rank_class, Stream stream, int& started) {
    if (folded_.text(rank_class).stream(stream).empty()) return;
    ++started;
    sg::Actor::create("stream" + std::to_string(started), platform_.walkers,
                      [this, rank_class, stream] { walk(rank_class, stream); });
  }

  void walk(int rank_class, Stream stream) {
    auto& spans = timeline_.ranks[static_cast<std::size_t>(rank_class)]
                      .streams[static_cast<std::size_t>(stream)];
    for (StreamCursor cursor(folded_, plan_, rank_class, stream); !cursor.done();
         cursor.advance()) {
      const Seconds begin = now();
      const Seconds flow_begin = execute(cursor.current(), rank_class);
      if (is_timed(cursor.current(), begin))
        note(cursor, {cursor.outer(), begin, flow_begin, now()}, spans);
    }
    ++finished_;
  }

  // Waits that did not wait leave no trace.
  static bool is_timed(const Instruction& instruction, Seconds begin) {
    switch (instruction.kind) {
      case InstructionKind::Record:
      case InstructionKind::Allocate:
      case InstructionKind::Free:
        return false;
      case InstructionKind::Wait:
        return now() > begin;
      default:
        return true;
    }
  }

  // The instructions of an unfused block make one span together.
  void note(const StreamCursor& cursor, const Span& span, std::vector<Span>& spans) {
    if (cursor.current().kind != InstructionKind::Wait) ++timeline_.activities;
    if (cursor.in_block() && !spans.empty() && spans.back().instruction == span.instruction) {
      spans.back().end = span.end;
    } else {
      spans.push_back(span);
      if (cursor.in_block()) spans.back().flow_begin = span.begin;
    }
  }

  // Runs one instruction; returns when its flow could begin (now, for what has no partners).
  Seconds execute(const Instruction& instruction, int rank_class) {
    const Seconds begin = now();
    switch (instruction.kind) {
      case InstructionKind::Compute:
        pass(instruction_time(folded_, rank_class, instruction));
        return begin;
      case InstructionKind::Call:
        return call(*plan_.at(rank_class, instruction.index));
      case InstructionKind::Collective:
      case InstructionKind::Send:
      case InstructionKind::Receive:
        return communicate(instruction, rank_class);
      case InstructionKind::Record:
        event(rank_class, instruction.index).open();
        return begin;
      case InstructionKind::Wait:
        event(rank_class, instruction.index).wait();
        return begin;
      case InstructionKind::Allocate:
      case InstructionKind::Free:
        return begin;
    }
    return begin;
  }

  Gate& event(int rank_class, int index) {
    return events_[static_cast<std::size_t>(rank_class)][static_cast<std::size_t>(index)];
  }

  Seconds call(const FusedBlock& block) {
    pass(block.head);
    const auto together = [&] { pass(block.body); };
    Seconds begin = now();
    if (block.communicator < 0) {
      together();
    } else {
      begin = meet(static_cast<std::size_t>(block.communicator), together);
    }
    pass(block.tail);
    return begin;
  }

  Seconds communicate(const Instruction& instruction, int rank_class) {
    const auto index =
        static_cast<std::size_t>(communicator_index(folded_, rank_class, instruction));
    const auto operation = static_cast<std::size_t>(instruction.operation);
    return meet(index, [&] {
      flow(folded_.communicators[index].transfers[operation], platform_.paths[index][operation]);
    });
  }

  // The last to come does what they do together; the others sleep until it is through.
  template <class Together>
  Seconds meet(std::size_t communicator, const Together& together) {
    std::shared_ptr<Call>& gathering = calls_[communicator];
    if (!gathering) gathering = std::make_shared<Call>();
    const std::shared_ptr<Call> call = gathering;
    if (++call->arrived < folded_.communicators[communicator].arrivals.size()) {
      call->finished.wait();
      return call->flow_begin;
    }
    gathering.reset();
    call->flow_begin = now();
    together();
    call->finished.open();
    return call->flow_begin;
  }

  static void flow(const Transfer& transfer, const Path& path) {
    pass(transfer.latency);
    if (path.from) {
      sg::Comm::sendto(path.from, path.to, static_cast<std::uint64_t>(transfer.bytes.value()));
    }
  }

  const FoldedProgram& folded_;
  const FusePlan& plan_;
  Platform platform_;
  Timeline timeline_;
  std::vector<std::shared_ptr<Call>> calls_;  // [folded communicator]: the one that is gathering
  std::vector<std::vector<Gate>> events_;     // [rank class][event]
  int finished_ = 0;
};

}  // namespace

Timeline run_event_in_this_process(const FoldedProgram& folded, const FusePlan& plan) {
  int argc = 1;
  char name[] = "stepcast";
  char* argv[] = {name, nullptr};
  sg::Engine engine(&argc, argv);
  apply_simgrid_settings();
  return EventRun(folded, plan, build_platform(folded)).run(engine);
}

}  // namespace stepcast
