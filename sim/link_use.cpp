#include "sim/link_use.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "sim/fusing.h"

namespace stepcast {
namespace {

// A flow comes onto a link, or leaves it.
struct Change {
  Seconds at;
  double rate;  // bytes per second of the link, signed
  int flows;    // 1 or -1
};

using BytesByLink = std::vector<std::pair<int, Bytes>>;

class FlowCollector {
 public:
  explicit FlowCollector(const FoldedProgram& folded)
      : folded_(folded), changes_(folded.links.size()) {}

  std::vector<std::vector<Change>> collect(const Timeline& timeline) {
    for (std::size_t r = 0; r < timeline.ranks.size(); ++r) {
      for (int s = 0; s < kNumStreams; ++s) {
        for (const Span& span : timeline.ranks[r].streams[static_cast<std::size_t>(s)]) {
          add(static_cast<int>(r), static_cast<Stream>(s), span);
        }
      }
    }
    return std::move(changes_);
  }

 private:
  static bool sends(const Instruction& instruction) {
    return instruction.kind == InstructionKind::Collective ||
           instruction.kind == InstructionKind::Send;
  }

  void add(int rank_class, Stream stream, const Span& span) {
    const Instruction& instruction =
        folded_.text(rank_class).stream(stream)[static_cast<std::size_t>(span.instruction)];
    if (instruction.kind == InstructionKind::Call) {
      add_flows(block_bytes(rank_class, instruction.index), span.flow_begin, span.end);
    } else if (sends(instruction) && owns(rank_class, instruction)) {
      BytesByLink bytes;
      add_bytes(rank_class, instruction, bytes);
      add_flows(bytes, span.flow_begin + transfer_of(rank_class, instruction).latency, span.end);
    }
  }

  void add_flows(const BytesByLink& bytes, Seconds begin, Seconds end) {
    if (end <= begin) return;
    for (const auto& [link, carried] : bytes) {
      const double rate = (carried / (end - begin)).value();
      std::vector<Change>& changes = changes_[static_cast<std::size_t>(link)];
      changes.push_back({begin, rate, 1});
      changes.push_back({end, -rate, -1});
    }
  }

  // Each block is looked into once.
  const BytesByLink& block_bytes(int rank_class, int block) {
    const auto [place, added] = block_bytes_.try_emplace({rank_class, block});
    if (!added) return place->second;
    for (const Instruction& instruction :
         folded_.text(rank_class).blocks[static_cast<std::size_t>(block)].body) {
      if (sends(instruction) && owns(rank_class, instruction)) {
        add_bytes(rank_class, instruction, place->second);
      }
    }
    return place->second;
  }

  void add_bytes(int rank_class, const Instruction& instruction, BytesByLink& bytes) const {
    const Transfer& transfer = transfer_of(rank_class, instruction);
    if (transfer.bytes <= Bytes()) return;
    for (const WeightedLink& use :
         communicator_of(rank_class, instruction).traffic_of(transfer).links) {
      bytes.emplace_back(use.link, transfer.bytes * use.weight);
    }
  }

  // Everyone who takes part in a call has it in its timeline: it counts by the first who sends.
  bool owns(int rank_class, const Instruction& instruction) {
    const Arrival caller{rank_class, instruction.index};
    const auto [place, added] =
        owners_.try_emplace(communicator_index(folded_, rank_class, instruction), caller);
    return place->second == caller;
  }

  const FoldedCommunicator& communicator_of(int rank_class, const Instruction& instruction) const {
    return folded_.communicators[static_cast<std::size_t>(
        communicator_index(folded_, rank_class, instruction))];
  }

  const Transfer& transfer_of(int rank_class, const Instruction& instruction) const {
    return communicator_of(rank_class, instruction)
        .transfers[static_cast<std::size_t>(instruction.operation)];
  }

  const FoldedProgram& folded_;
  std::vector<std::vector<Change>> changes_;  // [folded link]
  std::map<int, Arrival> owners_;             // of a communicator
  std::map<std::pair<int, int>, BytesByLink> block_bytes_;
};

// One point for each instant at which the rate changes; an idle link is at 0 without rounding.
std::vector<LinkUsePoint> add_up(std::vector<Change> changes, BytesPerSecond bandwidth) {
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    return std::tuple(a.at, a.flows, a.rate) < std::tuple(b.at, b.flows, b.rate);
  });
  std::vector<LinkUsePoint> points;
  double rate = 0;
  int flows = 0;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    flows += changes[i].flows;
    rate = flows == 0 ? 0.0 : rate + changes[i].rate;
    const bool last_of_instant = i + 1 == changes.size() || changes[i + 1].at > changes[i].at;
    const double share = rate / bandwidth.value();
    const double before = points.empty() ? 0.0 : points.back().share;
    if (last_of_instant && share != before) points.push_back({changes[i].at, share});
  }
  return points;
}

}  // namespace

std::vector<std::vector<LinkUsePoint>> link_use(const FoldedProgram& folded,
                                                const Timeline& timeline) {
  std::vector<std::vector<LinkUsePoint>> uses;
  std::vector<std::vector<Change>> changes = FlowCollector(folded).collect(timeline);
  for (std::size_t link = 0; link < changes.size(); ++link) {
    uses.push_back(add_up(std::move(changes[link]), folded.links[link].bandwidth));
  }
  return uses;
}

}  // namespace stepcast
