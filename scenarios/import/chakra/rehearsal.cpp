// Whether all calls of a traced run come about.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/unit_text.h"
#include "scenarios/import/chakra/traced_calls.h"

namespace stepcast {
namespace {

struct Arrived {
  int rank;
  std::size_t stream;
  const TracedNode* node;
  int operation;
};

bool is_call(const TracedNode& node) {
  return node.kind == TracedKind::Collective || node.kind == TracedKind::Send ||
         node.kind == TracedKind::Receive;
}

class Rehearsal {
 public:
  Rehearsal(const std::vector<OrderedRank>& ranks, TracedCalls& calls, const StepProgram& program)
      : ranks_(ranks), calls_(calls), program_(program), done_(ranks.size(), Horizon{}) {
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
      waiting_.emplace_back();
      waiting_.back().fill(false);
      to_walk_.push_back(static_cast<int>(rank));
    }
  }

  void run() {
    while (!to_walk_.empty()) {
      const int rank = to_walk_.back();
      to_walk_.pop_back();
      walk(rank);
    }
    for (const auto& [communicator, arrived] : arrived_) {
      if (!arrived.empty()) refuse_lonely(communicator, arrived);
    }
  }

 private:
  // Until no stream of the rank can go on by itself.
  void walk(int rank) {
    const OrderedRank& ordered = ranks_[static_cast<std::size_t>(rank)];
    bool moved = true;
    while (moved) {
      moved = false;
      for (std::size_t s = 0; s < ordered.streams.size(); ++s) {
        while (step(rank, s)) moved = true;
      }
    }
  }

  bool step(int rank, std::size_t s) {
    Horizon& done = done_[static_cast<std::size_t>(rank)];
    const std::vector<OrderedNode>& stream = ranks_[static_cast<std::size_t>(rank)].streams[s];
    const auto position = static_cast<std::size_t>(done[s]);
    if (position == stream.size() || waiting_[static_cast<std::size_t>(rank)][s]) return false;
    const OrderedNode& next = stream[position];
    for (std::size_t other = 0; other < done.size(); ++other) {
      if (done[other] < next.needs[other]) return false;
    }
    if (is_call(*next.node)) return arrive(rank, s, *next.node);
    ++done[s];
    return true;
  }

  // True where the rank was the last to come: the call is over for all.
  bool arrive(int rank, std::size_t s, const TracedNode& node) {
    const TracedCall call = calls_.call(rank, node);
    std::vector<Arrived>& arrived = arrived_[call.communicator];
    arrived.push_back({rank, s, &node, call.operation});
    if (call.operation != arrived.front().operation) refuse_difference(arrived);
    if (arrived.size() < members_of(call.communicator).size()) {
      waiting_[static_cast<std::size_t>(rank)][s] = true;
      return false;
    }
    for (const Arrived& one : arrived) {
      waiting_[static_cast<std::size_t>(one.rank)][one.stream] = false;
      ++done_[static_cast<std::size_t>(one.rank)][one.stream];
      if (one.rank != rank) to_walk_.push_back(one.rank);
    }
    arrived.clear();
    return true;
  }

  const std::vector<int>& members_of(int communicator) const {
    return program_.communicators[static_cast<std::size_t>(communicator)].ranks;
  }

  InputPlace place_of_arrival(const Arrived& one) const {
    return place_of(*ranks_[static_cast<std::size_t>(one.rank)].rank, *one.node);
  }

  std::string words(int operation) const {
    const Operation& one = program_.operations[static_cast<std::size_t>(operation)];
    return fmt::format("{} of {}", word(one.kind), exact_text(one.message));
  }

  [[noreturn]] void refuse_difference(const std::vector<Arrived>& arrived) const {
    const Arrived& first = arrived.front();
    const Arrived& other = arrived.back();
    throw InputError(place_of_arrival(other),
                     fmt::format("rank {} calls {} where rank {} calls {} (its node {} \"{}\")",
                                 other.rank, words(other.operation), first.rank,
                                 words(first.operation), first.node->id, first.node->name),
                     "all ranks of a group make the same calls in the same order");
  }

  [[noreturn]] void refuse_lonely(int communicator, const std::vector<Arrived>& arrived) const {
    std::vector<int> missing;
    for (const int rank : members_of(communicator)) {
      if (std::none_of(arrived.begin(), arrived.end(),
                       [&](const Arrived& one) { return one.rank == rank; })) {
        missing.push_back(rank);
      }
    }
    if (missing.size() > 8) missing.resize(8);
    throw InputError(
        place_of_arrival(arrived.front()),
        "the call never comes about: not all of its ranks come to it",
        "the traces must be of one run, whole, and --groups must fit them",
        {fmt::format("rank {} waits for {}", arrived.front().rank, fmt::join(missing, ", "))});
  }

  const std::vector<OrderedRank>& ranks_;
  TracedCalls& calls_;
  const StepProgram& program_;
  std::vector<Horizon> done_;
  std::vector<std::array<bool, kNumStreams>> waiting_;  // [rank][stream]: at a call
  std::map<int, std::vector<Arrived>> arrived_;         // [communicator]
  std::vector<int> to_walk_;
};

}  // namespace

void rehearse(const std::vector<OrderedRank>& ranks, TracedCalls& calls,
              const StepProgram& program) {
  Rehearsal(ranks, calls, program).run();
}

}  // namespace stepcast
