#include "sim/fusing.h"

#include <algorithm>
#include <map>

namespace stepcast {
namespace {

// Rounding only: a wider tolerance would let short overlaps through.
constexpr double kRateTolerance = 1e-9;

const FoldedRank& rank_of(const FoldedProgram& folded, int rank_class) {
  return folded.ranks[static_cast<std::size_t>(rank_class)];
}

const FoldedCommunicator& communicator_of(const FoldedProgram& folded, int rank_class,
                                          const Instruction& instruction) {
  const int index =
      rank_of(folded, rank_class).communicators[static_cast<std::size_t>(instruction.index)];
  return folded.communicators[static_cast<std::size_t>(index)];
}

bool meets_nobody(const FoldedProgram& folded, int rank_class, const Block& block) {
  return std::all_of(block.body.begin(), block.body.end(), [&](const Instruction& instruction) {
    return instruction.kind != InstructionKind::Collective ||
           communicator_of(folded, rank_class, instruction).arrivals == 1;
  });
}

// What one flow or one fused block asks of a link while it is active.
struct Demand {
  Seconds begin;
  Seconds end;
  double rate;     // weight x bytes per second
  int rank_class;  // of a fused block; -1 for a flow
  int block;
};

using DemandsByLink = std::vector<std::vector<Demand>>;

class DemandCollector {
 public:
  DemandCollector(const FoldedProgram& folded, const FusePlan& plan)
      : folded_(folded), plan_(plan), demands_(folded.links.size()) {}

  DemandsByLink collect(const Timeline& timeline) {
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

  // A collective is recorded by every class that takes part: the first to be seen counts.
  void add_flow(int rank_class, const Instruction& instruction, const Span& span) {
    const int index =
        rank_of(folded_, rank_class).communicators[static_cast<std::size_t>(instruction.index)];
    const FoldedCommunicator& communicator = folded_.communicators[static_cast<std::size_t>(index)];
    if (communicator.arrivals > 1 && !seen_.emplace(std::pair(index, span.flow_begin), true).second)
      return;
    const double rate = alone_rate(communicator, instruction.operation).value();
    const Transfer& transfer =
        communicator.transfers[static_cast<std::size_t>(instruction.operation)];
    for (const WeightedLink& use : communicator.links) {
      demands_[static_cast<std::size_t>(use.link)].push_back(
          {span.flow_begin + transfer.latency, span.end, use.weight * rate, -1, -1});
    }
  }

  // A block that runs unfused stands for its flows in the same way, but cannot be taken apart
  // further.
  void add_block(int rank_class, int block, const Span& span) {
    const int fused = plan_.is_fused(rank_class, block) ? block : -1;
    for (const auto& [link, rate] : block_rates(rank_class, block)) {
      demands_[static_cast<std::size_t>(link)].push_back(
          {span.begin, span.end, rate, rank_class, fused});
    }
  }

  // The largest demand of a block's collectives on each link.
  const std::map<int, double>& block_rates(int rank_class, int block) {
    const auto [place, added] = rates_.try_emplace(std::pair(rank_class, block));
    if (!added) return place->second;
    const Block& body = folded_.text(rank_class).blocks[static_cast<std::size_t>(block)];
    for (const Instruction& instruction : body.body) {
      if (instruction.kind != InstructionKind::Collective) continue;
      const FoldedCommunicator& communicator = communicator_of(folded_, rank_class, instruction);
      const double rate = alone_rate(communicator, instruction.operation).value();
      for (const WeightedLink& use : communicator.links) {
        double& largest = place->second[use.link];
        largest = std::max(largest, use.weight * rate);
      }
    }
    return place->second;
  }

  const FoldedProgram& folded_;
  const FusePlan& plan_;
  DemandsByLink demands_;
  std::map<std::pair<int, Seconds>, bool> seen_;
  std::map<std::pair<int, int>, std::map<int, double>> rates_;
};

// Sweeps one link's demands over time. What ends at t does not meet what starts at t.
class LinkSweep {
 public:
  LinkSweep(const std::vector<Demand>& demands, double bandwidth, FusePlan& plan)
      : demands_(demands), limit_(bandwidth * (1.0 + kRateTolerance)), plan_(plan) {}

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
      plan_.fused[static_cast<std::size_t>(demands_[i].rank_class)]
                 [static_cast<std::size_t>(demands_[i].block)] = 0;
    }
  }

  const std::vector<Demand>& demands_;
  double limit_;
  FusePlan& plan_;
  std::vector<std::size_t> active_;
};

}  // namespace

FusePlan fuse_all(const FoldedProgram& folded) {
  FusePlan plan;
  for (std::size_t r = 0; r < folded.ranks.size(); ++r) {
    std::vector<char>& fused = plan.fused.emplace_back();
    for (const Block& block : folded.text(static_cast<int>(r)).blocks) {
      fused.push_back(meets_nobody(folded, static_cast<int>(r), block) ? 1 : 0);
    }
  }
  return plan;
}

FusePlan fuse_none(const FoldedProgram& folded) {
  FusePlan plan;
  for (std::size_t r = 0; r < folded.ranks.size(); ++r) {
    plan.fused.emplace_back(folded.text(static_cast<int>(r)).blocks.size(), 0);
  }
  return plan;
}

Seconds instruction_time(const FoldedProgram& folded, int rank_class,
                         const Instruction& instruction) {
  if (instruction.kind == InstructionKind::Compute) {
    return instruction.duration / rank_of(folded, rank_class).rate;
  }
  return alone_time(communicator_of(folded, rank_class, instruction), instruction.operation);
}

Seconds block_time(const FoldedProgram& folded, int rank_class, int block) {
  Seconds sum;
  for (const Instruction& instruction :
       folded.text(rank_class).blocks[static_cast<std::size_t>(block)].body) {
    sum += instruction_time(folded, rank_class, instruction);
  }
  return sum;
}

ContentionCheck check_contention(const FoldedProgram& folded, const Timeline& timeline,
                                 FusePlan& plan) {
  const DemandsByLink demands = DemandCollector(folded, plan).collect(timeline);
  ContentionCheck check;
  for (std::size_t l = 0; l < demands.size(); ++l) {
    LinkSweep(demands[l], folded.links[l].bandwidth.value(), plan).run(check);
  }
  return check;
}

}  // namespace stepcast
