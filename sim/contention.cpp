#include "sim/contention.h"

#include <algorithm>
#include <map>
#include <set>

namespace stepcast {
namespace {

// Rounding only: a wider tolerance would let short overlaps through.
constexpr double rate_tolerance = 1e-9;

// What one flow or one fused block asks of a link while it is active.
struct Demand {
  Seconds begin;
  Seconds end;
  double rate;     // weight x bytes per second
  int rank_class;  // of a fused block; -1 for a flow
  int block;
};

using DemandsByLink = std::vector<std::vector<Demand>>;
using RatesByLink = std::vector<std::pair<int, double>>;

class DemandCollector {
 public:
  DemandCollector(const FoldedProgram& folded, const FusePlan& plan)
      : folded_(folded), plan_(plan), demands_(folded.links.size()) {}

  DemandsByLink collect(const Timeline& timeline) {
    for (const FoldedBackground& flow : folded_.background) {
      for (const int link : flow.links) {
        demands_[static_cast<std::size_t>(link)].push_back(
            {Seconds(), timeline.end(), flow.rate.value(), -1, -1});
      }
    }
    for (std::size_t r = 0; r < timeline.ranks.size(); ++r) {
      for (int s = 0; s < kNumStreams; ++s) {
        for (const Span& span : timeline.ranks[r].streams[static_cast<std::size_t>(s)]) {
          add(static_cast<int>(r), static_cast<Stream>(s), span);
        }
      }
    }
    return std::move(demands_);
  }

 private:
  void add(int rank_class, Stream stream, const Span& span) {
    const Instruction& instruction =
        folded_.text(rank_class).stream(stream)[static_cast<std::size_t>(span.instruction)];
    if (instruction.kind == InstructionKind::Call) {
      add_block(rank_class, instruction.index, span);
    } else if (instruction.kind == InstructionKind::Collective ||
               instruction.kind == InstructionKind::Send) {
      add_flow(rank_class, instruction, span);
    }
  }

  // A meeting is recorded by every class that takes part: the first to be seen counts.
  bool seen_before(int communicator, Seconds begin) {
    return !seen_.emplace(communicator, begin).second;
  }

  void add_flow(int rank_class, const Instruction& instruction, const Span& span) {
    const int index = communicator_index(folded_, rank_class, instruction);
    const FoldedCommunicator& communicator = folded_.communicators[static_cast<std::size_t>(index)];
    if (communicator.arrivals.size() > 1 && seen_before(index, span.flow_begin)) return;
    const double rate = alone_rate(communicator, instruction.operation).value();
    const Transfer& transfer =
        communicator.transfers[static_cast<std::size_t>(instruction.operation)];
    for (const WeightedLink& use : communicator.traffic_of(transfer).links) {
      demands_[static_cast<std::size_t>(use.link)].push_back(
          {span.flow_begin + transfer.latency, span.end, use.weight * rate, -1, -1});
    }
  }

  // A block that runs unfused stands for its flows in the same way, but cannot be taken apart
  // further.
  void add_block(int rank_class, int block, const Span& span) {
    const std::optional<FusedBlock>& fused = plan_.at(rank_class, block);
    const bool counted =
        fused && fused->communicator >= 0 && seen_before(fused->communicator, span.flow_begin);
    for (const auto& [link, rate] : block_rates(rank_class, block, counted)) {
      demands_[static_cast<std::size_t>(link)].push_back(
          {span.flow_begin, span.end, rate, rank_class, fused ? block : -1});
    }
  }

  // The largest demand of a block's collectives on each link; `own`: without the meetings.
  const RatesByLink& block_rates(int rank_class, int block, bool own) {
    const auto [place, added] = rates_.try_emplace({rank_class, block, own});
    if (!added) return place->second;
    std::map<int, double> largest;
    const Block& body = folded_.text(rank_class).blocks[static_cast<std::size_t>(block)];
    for (const Instruction& instruction : body.body) {
      if (instruction.kind != InstructionKind::Collective) continue;
      const FoldedCommunicator& communicator = folded_.communicators[static_cast<std::size_t>(
          communicator_index(folded_, rank_class, instruction))];
      if (own && communicator.arrivals.size() > 1) continue;
      const double rate = alone_rate(communicator, instruction.operation).value();
      const Transfer& transfer =
          communicator.transfers[static_cast<std::size_t>(instruction.operation)];
      for (const WeightedLink& use : communicator.traffic_of(transfer).links) {
        double& most = largest[use.link];
        most = std::max(most, use.weight * rate);
      }
    }
    place->second.assign(largest.begin(), largest.end());
    return place->second;
  }

  const FoldedProgram& folded_;
  const FusePlan& plan_;
  DemandsByLink demands_;
  std::set<std::pair<int, Seconds>> seen_;
  std::map<std::tuple<int, int, bool>, RatesByLink> rates_;
};

// Sweeps one link's demands over time. What ends at t does not meet what starts at t.
class LinkSweep {
 public:
  LinkSweep(const FoldedProgram& folded, std::size_t link, const std::vector<Demand>& demands,
            FusePlan& plan)
      : folded_(folded),
        demands_(demands),
        limit_(folded.links[link].bandwidth.value() * (1.0 + rate_tolerance)),
        plan_(plan) {}

  void run(ContentionCheck& check) {
    std::vector<std::size_t> by_begin(demands_.size());
    for (std::size_t i = 0; i < by_begin.size(); ++i) by_begin[i] = i;
    std::sort(by_begin.begin(), by_begin.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(demands_[a].begin, a) < std::pair(demands_[b].begin, b);
    });
    for (const std::size_t i : by_begin) {
      if (demands_[i].end <= demands_[i].begin) continue;
      end_before(demands_[i].begin);
      active_.push_back(i);
      if (active_.size() > 1 && asked() > limit_) report(check);
    }
  }

 private:
  void end_before(Seconds now) {
    std::erase_if(active_, [&](std::size_t i) { return demands_[i].end <= now; });
  }

  double asked() const {
    double sum = 0;
    for (const std::size_t i : active_) sum += demands_[i].rate;
    return sum;
  }

  void report(ContentionCheck& check) {
    check.flows_fit = false;
    for (const std::size_t i : active_) {
      if (demands_[i].block < 0) continue;
      check.blocks_fit = false;
      plan_.unfuse(folded_, demands_[i].rank_class, demands_[i].block);
    }
  }

  const FoldedProgram& folded_;
  const std::vector<Demand>& demands_;
  double limit_;
  FusePlan& plan_;
  std::vector<std::size_t> active_;
};

}  // namespace

ContentionCheck check_contention(const FoldedProgram& folded, const Timeline& timeline,
                                 FusePlan& plan) {
  const DemandsByLink demands = DemandCollector(folded, plan).collect(timeline);
  ContentionCheck check;
  for (std::size_t l = 0; l < demands.size(); ++l) {
    LinkSweep(folded, l, demands[l], plan).run(check);
  }
  return check;
}

}  // namespace stepcast
