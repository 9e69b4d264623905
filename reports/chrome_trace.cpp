#include "reports/chrome_trace.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "sim/activity_spans.h"
#include "sim/breakdown.h"
#include "sim/link_use.h"
#include "sim/memory_timeline.h"

namespace stepcast {
namespace {

constexpr int activity_thread = 0;

int thread_of(Stream stream) { return 1 + static_cast<int>(stream); }

double microseconds(Seconds time) { return time / 1_us; }

// A slice does not hold its own end, and Perfetto cuts begin and duration to whole nanoseconds
// each: so much earlier is inside for certain.
constexpr Seconds inside_slice(2e-9);

// Commas between the events.
class EventList {
 public:
  explicit EventList(std::ostream& out) : out_(out) {}

  template <class... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    out_ << (first_ ? "\n" : ",\n");
    first_ = false;
    fmt::print(out_, format, std::forward<Arguments>(arguments)...);
  }

 private:
  std::ostream& out_;
  bool first_ = true;
};

std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

bool is_send(const Instruction& instruction) { return instruction.kind == InstructionKind::Send; }
bool is_message(const Instruction& instruction) {
  return is_send(instruction) || instruction.kind == InstructionKind::Receive;
}

// What a slice is called: a wait by what it waits for, work by its own name.
std::string_view name_of(const Instruction& instruction) {
  return instruction.kind == InstructionKind::Wait ? "wait" : word(instruction.work);
}

class TraceWriter {
 public:
  TraceWriter(const SimulatedStep& step, EventList& events) : step_(step), events_(events) {}

  void write(int rank_class) {
    name_tracks(rank_class);
    for (int stream = 0; stream < kNumStreams; ++stream) {
      write_stream(rank_class, static_cast<Stream>(stream));
    }
    write_memory(rank_class);
  }

  void write_activities(int rank_class) {
    name_thread(rank_class, activity_thread, "where the step goes");
    for (const ActivitySpan& span : activity_spans(step_.folded, step_.run.timeline, rank_class)) {
      events_.add(R"({{"ph":"X","pid":{},"tid":{},"cat":"activity","name":"{}","ts":{},"dur":{}}})",
                  rank_class, activity_thread, word(span.activity), microseconds(span.begin),
                  microseconds(span.end - span.begin));
    }
  }

  // A process of its own below the ranks; links that carry nothing are left out.
  void write_links() {
    const int process = static_cast<int>(step_.folded.ranks.size());
    name_process(process, "links", std::numeric_limits<std::int32_t>::max());
    const auto uses = link_use(step_.folded, step_.run.timeline);
    for (std::size_t link = 0; link < uses.size(); ++link) {
      const bool alone = step_.folded.links[link].members == 1;
      const std::string name = quoted(step_.link_names[link] + (alone ? "" : " and those like it"));
      for (const LinkUsePoint& point : uses[link]) {
        events_.add(R"({{"ph":"C","pid":{},"name":{},"ts":{},"args":{{"share":{}}}}})", process,
                    name, microseconds(point.at), point.share);
      }
    }
  }

 private:
  const FoldedRank& folded_rank(int rank_class) const {
    return step_.folded.ranks[static_cast<std::size_t>(rank_class)];
  }

  const std::vector<Span>& spans(int rank_class, Stream stream) const {
    return step_.run.timeline.ranks[static_cast<std::size_t>(rank_class)]
        .streams[static_cast<std::size_t>(stream)];
  }

  void name_tracks(int rank_class) {
    const FoldedRank& rank = folded_rank(rank_class);
    const std::string alike =
        rank.members == 1 ? "" : fmt::format(" and {} like it", rank.members - 1);
    name_process(rank_class,
                 fmt::format("stage {}: rank {}{}", rank.program, rank.representative, alike),
                 rank.representative);
    for (int stream = 0; stream < kNumStreams; ++stream) {
      if (spans(rank_class, static_cast<Stream>(stream)).empty()) continue;
      name_thread(rank_class, thread_of(static_cast<Stream>(stream)),
                  word(static_cast<Stream>(stream)));
    }
  }

  void name_process(int process, const std::string& name, int sort_index) {
    events_.add(R"({{"ph":"M","pid":{},"name":"process_name","args":{{"name":{}}}}})", process,
                quoted(name));
    events_.add(R"({{"ph":"M","pid":{},"name":"process_sort_index","args":{{"sort_index":{}}}}})",
                process, sort_index);
  }

  void name_thread(int rank_class, int thread, std::string_view name) {
    events_.add(R"({{"ph":"M","pid":{},"tid":{},"name":"thread_name","args":{{"name":"{}"}}}})",
                rank_class, thread, name);
    events_.add(
        R"({{"ph":"M","pid":{},"tid":{},"name":"thread_sort_index","args":{{"sort_index":{}}}}})",
        rank_class, thread, thread);
  }

  void write_stream(int rank_class, Stream stream) {
    const auto& instructions = step_.folded.text(rank_class).stream(stream);
    std::vector<int> calls(folded_rank(rank_class).communicators.size(), 0);
    for (const Span& span : spans(rank_class, stream)) {
      const Instruction& instruction = instructions[static_cast<std::size_t>(span.instruction)];
      if (span.end > span.begin) write_slice(rank_class, stream, instruction, span);
      if (is_message(instruction)) {
        const int call = calls[static_cast<std::size_t>(instruction.index)]++;
        write_arrow(rank_class, stream, instruction, span, call);
      }
    }
  }

  void write_slice(int rank_class, Stream stream, const Instruction& instruction,
                   const Span& span) {
    events_.add(
        R"({{"ph":"X","pid":{},"tid":{},"cat":"{}","name":"{}","ts":{},"dur":{},"args":{{"activity":"{}","micro_batch":{},"chunk":{}}}}})",
        rank_class, thread_of(stream), word(stream), name_of(instruction), microseconds(span.begin),
        microseconds(span.end - span.begin), word(instruction.activity), instruction.micro_batch,
        instruction.chunk);
  }

  void write_memory(int rank_class) {
    for_each_memory_point(
        step_.folded, step_.run.timeline, rank_class, [&](const MemoryPoint& point) {
          events_.add(
              R"({{"ph":"C","pid":{},"name":"allocated memory","ts":{},"args":{{"bytes":{:.0f}}}}})",
              rank_class, microseconds(point.at), point.allocated.value());
        });
  }

  // The n-th send on a communicator is the n-th receive's. Where several classes send, or receive,
  // alike, the arrow is drawn between the first of each.
  void write_arrow(int rank_class, Stream stream, const Instruction& instruction, const Span& span,
                   int call) {
    const int communicator =
        folded_rank(rank_class).communicators[static_cast<std::size_t>(instruction.index)];
    if (!is_first(rank_class, instruction, communicator)) return;
    const std::int64_t id = (static_cast<std::int64_t>(communicator) << 32) + call;
    if (is_send(instruction)) {
      events_.add(
          R"({{"ph":"s","pid":{},"tid":{},"cat":"message","name":"message","id":{},"ts":{}}})",
          rank_class, thread_of(stream), id, microseconds(span.flow_begin));
    } else {
      events_.add(
          R"({{"ph":"f","bp":"e","pid":{},"tid":{},"cat":"message","name":"message","id":{},"ts":{}}})",
          rank_class, thread_of(stream), id,
          microseconds(std::max(span.begin, span.end - inside_slice)));
    }
  }

  bool is_first(int rank_class, const Instruction& instruction, int communicator) {
    const auto [place, added] =
        first_class_.try_emplace({communicator, is_send(instruction)}, rank_class);
    return added || place->second == rank_class;
  }

  const SimulatedStep& step_;
  EventList& events_;
  std::map<std::pair<int, bool>, int> first_class_;  ///< of a communicator's senders or receivers
};

}  // namespace

void write_chrome_trace(std::ostream& out, const SimulatedStep& step) {
  const Breakdown breakdown = break_down(step.folded, step.run.timeline);
  fmt::print(
      out,
      R"({{"displayTimeUnit":"ms","otherData":{{"step_time_s":{},"critical_process":{}}},"traceEvents":[)",
      step.run.timeline.end().value(), breakdown.rank_class);
  EventList events(out);
  TraceWriter writer(step, events);
  writer.write_activities(breakdown.rank_class);
  for (int r = 0; r < static_cast<int>(step.folded.ranks.size()); ++r) writer.write(r);
  writer.write_links();
  out << "\n]}\n";
}

}  // namespace stepcast
