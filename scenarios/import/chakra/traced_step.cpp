#include "scenarios/import/chakra/traced_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "base/fields.h"
#include "scenarios/import/chakra/rank_order.h"
#include "scenarios/import/chakra/traced_calls.h"

namespace stepcast {
namespace {

Seconds compute_time(const TracedNode& node, const GpuSpec& gpu) {
  if (node.duration > Seconds()) return node.duration;
  return std::max(node.flop / gpu.fp16, node.bytes / gpu.memory_bandwidth);
}

// What the compute stream waits for when it waits for a node.
Activity activity_of(TracedKind kind) {
  switch (kind) {
    case TracedKind::Compute:
      return Activity::Compute;
    case TracedKind::Collective:
      return Activity::DataCommunication;
    case TracedKind::Send:
      return Activity::PipelineCommunication;
    case TracedKind::Receive:
      return Activity::PipelineBubble;
    case TracedKind::Load:
    case TracedKind::Store:
      return Activity::HostTransfer;
    default:
      return Activity::Other;
  }
}

/// A node that another stream waits for, by its place in its own.
struct Milestone {
  std::size_t stream;
  int position;
  friend auto operator<=>(const Milestone&, const Milestone&) = default;
};

class RankWriter {
 public:
  RankWriter(int rank, const OrderedRank& ordered, const GpuSpec& gpu, TracedCalls& calls)
      : rank_(rank), ordered_(ordered), gpu_(gpu), calls_(calls) {}

  RankProgram write() {
    for (std::size_t s = 0; s < ordered_.streams.size(); ++s) add_stream(s);
    wait_for_all();
    for (std::size_t s = 0; s < ordered_.streams.size(); ++s) add_records(s);
    return std::move(text_);
  }

 private:
  void add_stream(std::size_t s) {
    Horizon known{};
    for (const OrderedNode& one : ordered_.streams[s]) {
      add_waits(s, one.needs, known);
      positions_[s].push_back(text_.streams[s].size());
      text_.streams[s].push_back(instruction_of(*one.node));
    }
    known_[s] = known;
  }

  // Each stream that this one has not yet waited for so far.
  void add_waits(std::size_t s, const Horizon& needs, Horizon& known) {
    for (std::size_t other = 0; other < needs.size(); ++other) {
      if (other == s || needs[other] <= known[other]) continue;
      const int position = needs[other] - 1;
      const OrderedNode& last = ordered_.streams[other][static_cast<std::size_t>(position)];
      join(known, last.needs);
      known[other] = needs[other];
      text_.streams[s].push_back({.kind = InstructionKind::Wait,
                                  .activity = activity_of(last.node->kind),
                                  .work = Work::Forward,
                                  .index = text_.num_events});
      events_[{other, position}].push_back(text_.num_events++);
    }
  }

  void wait_for_all() {
    constexpr auto compute = static_cast<std::size_t>(Stream::Compute);
    Horizon all{};
    for (std::size_t s = 0; s < all.size(); ++s) {
      all[s] = static_cast<int>(ordered_.streams[s].size());
    }
    add_waits(compute, all, known_[compute]);
  }

  // Behind the nodes that others wait for.
  void add_records(std::size_t s) {
    std::vector<Instruction> with_records;
    std::size_t copied = 0;
    std::vector<Instruction>& stream = text_.streams[s];
    const auto copy_until = [&](std::size_t end) {
      for (; copied < end; ++copied) with_records.push_back(stream[copied]);
    };
    for (auto it = events_.lower_bound({s, 0}); it != events_.end() && it->first.stream == s;
         ++it) {
      copy_until(positions_[s][static_cast<std::size_t>(it->first.position)] + 1);
      for (const int event : it->second) {
        with_records.push_back({.kind = InstructionKind::Record, .index = event});
      }
    }
    copy_until(stream.size());
    stream = std::move(with_records);
  }

  Instruction instruction_of(const TracedNode& node) {
    Instruction instruction{.kind = InstructionKind::Compute,
                            .activity = activity_of(node.kind),
                            .work = Work::Forward};
    switch (node.kind) {
      case TracedKind::Collective:
        instruction.kind = InstructionKind::Collective;
        break;
      case TracedKind::Send:
        instruction.kind = InstructionKind::Send;
        break;
      case TracedKind::Receive:
        instruction.kind = InstructionKind::Receive;
        instruction.activity = Activity::PipelineCommunication;
        break;
      default:
        instruction.duration = compute_time(node, gpu_);
        return instruction;
    }
    const TracedCall call = calls_.call(rank_, node);
    instruction.index = calls_.local_number(rank_, call.communicator);
    instruction.operation = call.operation;
    return instruction;
  }

  int rank_;
  const OrderedRank& ordered_;
  const GpuSpec& gpu_;
  TracedCalls& calls_;
  RankProgram text_;
  std::map<Milestone, std::vector<int>> events_;
  std::array<std::vector<std::size_t>, kNumStreams> positions_;  // of nodes among instructions
  std::array<Horizon, kNumStreams> known_{};
};

bool same(const Instruction& one, const Instruction& other) {
  const auto parts = [](const Instruction& i) {
    return std::make_tuple(i.kind, i.activity, i.index, i.operation, i.duration.value());
  };
  return parts(one) == parts(other);
}

bool same_text(const RankProgram& one, const RankProgram& other) {
  return std::equal(one.streams.begin(), one.streams.end(), other.streams.begin(),
                    [](const auto& left, const auto& right) {
                      return std::equal(left.begin(), left.end(), right.begin(), right.end(), same);
                    });
}

// Ranks that do the same share a text, so that they fold.
int number_of_text(StepProgram& program, RankProgram text) {
  const auto found = std::find_if(program.programs.begin(), program.programs.end(),
                                  [&](const RankProgram& other) { return same_text(other, text); });
  const auto number = static_cast<int>(found - program.programs.begin());
  if (found == program.programs.end()) program.programs.push_back(std::move(text));
  return number;
}

}  // namespace

TracedGroups read_traced_groups(const std::string& file, int num_ranks) {
  const nlohmann::json json = read_json_file(file);
  const InputPlace root{file, ""};
  if (!json.is_object()) throw InputError(root, "expected an object, as in {\"0\": [0, 1]}");
  TracedGroups groups;
  for (const auto& [name, members] : json.items()) {
    const InputPlace place = child_of(root, name);
    std::set<int> ranks;
    for (const nlohmann::json& member : members) {
      const bool fits = member.is_number_integer() && member >= 0 && member < num_ranks;
      if (!fits || !ranks.insert(member.get<int>()).second) {
        throw InputError(place, fmt::format("found {}, expected ranks of 0 to {}, each once",
                                            member.dump(), num_ranks - 1));
      }
    }
    if (!members.is_array() || ranks.empty()) {
      throw InputError(place, "expected a list of ranks, as in [0, 1]");
    }
    groups[name].assign(ranks.begin(), ranks.end());
  }
  return groups;
}

StepProgram traced_step(const TracedRun& run, const TracedGroups& groups, const GpuSpec& gpu) {
  std::vector<OrderedRank> ranks;
  for (const TracedRank& rank : run.ranks) {
    ranks.push_back(order_nodes(rank, static_cast<int>(ranks.size())));
  }
  StepProgram program;
  TracedCalls calls(ranks, groups, program);
  rehearse(ranks, calls, program);
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const auto number = static_cast<int>(rank);
    program.program_of_rank.push_back(
        number_of_text(program, RankWriter(number, ranks[rank], gpu, calls).write()));
  }
  return program;
}

}  // namespace stepcast
