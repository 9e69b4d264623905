#include "sim/partition.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <unordered_map>

namespace stepcast {
namespace {

using Signature = std::vector<std::uint64_t>;

struct SignatureHash {
  std::size_t operator()(const Signature& signature) const {
    std::uint64_t hash = 0x9e3779b97f4a7c15ull;
    for (const std::uint64_t word : signature) {
      hash = (hash ^ word) * 0xff51afd7ed558ccdull;
      hash ^= hash >> 32;
    }
    return hash;
  }
};

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }
std::uint64_t pack(int high, int low) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(high)) << 32 |
         static_cast<std::uint32_t>(low);
}

void sort_unique(Signature& words, std::size_t from) {
  const auto begin = words.begin() + static_cast<std::ptrdiff_t>(from);
  std::sort(begin, words.end());
  words.erase(std::unique(begin, words.end()), words.end());
}

// Gives equal signatures equal numbers, new ones in order of appearance. Few are new, so only those
// are copied.
class Numbering {
 public:
  int number(const Signature& signature) {
    const auto place = known_.find(signature);
    if (place != known_.end()) return place->second;
    return known_.emplace(signature, static_cast<int>(known_.size())).first->second;
  }
  std::size_t size() const { return known_.size(); }

 private:
  std::unordered_map<Signature, int, SignatureHash> known_;
};

struct Incidence {
  int communicator;
  int kind;  // of traffic
  int weight;
};

class Refinement {
 public:
  Refinement(const StepProgram& program, const std::vector<CommunicatorFlows>& flows,
             std::size_t num_links)
      : program_(program), flows_(flows), on_link_(num_links) {
    for (std::size_t c = 0; c < flows.size(); ++c) {
      for (int kind = 0; kind < kNumTrafficKinds; ++kind) {
        for (const WeightedLink& use : flows[c].links[static_cast<std::size_t>(kind)]) {
          on_link_[static_cast<std::size_t>(use.link)].push_back(
              {static_cast<int>(c), kind, use.weight});
        }
      }
    }
  }

  Partition run(const std::vector<double>& rates, const Cluster& cluster) {
    start(rates, cluster);
    std::size_t classes = 0;
    std::size_t before = 0;
    do {
      before = classes;
      classes = refine_communicators() + refine_links() + refine_ranks();
    } while (classes != before);
    return std::move(colour_);
  }

 private:
  void start(const std::vector<double>& rates, const Cluster& cluster) {
    Numbering ranks, communicators, link_numbers;
    for (std::size_t r = 0; r < rates.size(); ++r) {
      const auto program = static_cast<std::uint64_t>(program_.program_of_rank[r]);
      colour_.rank.push_back(ranks.number({program, bits(rates[r])}));
    }
    for (const CommunicatorFlows& flows : flows_) {
      colour_.communicator.push_back(communicators.number(transfer_signature(flows)));
    }
    std::vector<Signature> background(cluster.links().size());
    int number = 0;
    for (const BackgroundFlow& flow : cluster.background()) {
      ++number;
      for (const int link : flow.links) {
        Signature& signature = background[static_cast<std::size_t>(link)];
        signature.push_back(flow.links.size() == 1 ? bits(flow.rate.value()) : pack(-1, number));
      }
    }
    for (std::size_t l = 0; l < background.size(); ++l) {
      std::sort(background[l].begin(), background[l].end());
      background[l].push_back(bits(cluster.links()[l].bandwidth.value()));
      colour_.link.push_back(link_numbers.number(background[l]));
    }
  }

  static Signature transfer_signature(const CommunicatorFlows& flows) {
    Signature signature;
    for (const Transfer& transfer : flows.transfers) {
      signature.push_back(bits(transfer.latency.value()));
      signature.push_back(bits(transfer.bytes.value()));
      signature.push_back(bits(transfer.rate_limit.value()));
      signature.push_back(static_cast<std::uint64_t>(transfer.traffic));
    }
    return signature;
  }

  std::size_t refine_communicators() {
    Numbering numbers;
    Signature signature;
    for (std::size_t c = 0; c < flows_.size(); ++c) {
      signature.assign(1, static_cast<std::uint64_t>(colour_.communicator[c]));
      for (const Member& member : flows_[c].members) {
        signature.push_back(
            pack(colour_.rank[static_cast<std::size_t>(member.rank)], member.local_number));
      }
      sort_unique(signature, 1);
      const std::size_t links_from = signature.size();
      for (int kind = 0; kind < kNumTrafficKinds; ++kind) {
        for (const WeightedLink& use : flows_[c].links[static_cast<std::size_t>(kind)]) {
          signature.push_back(pack(kind, colour_.link[static_cast<std::size_t>(use.link)]));
        }
      }
      sort_unique(signature, links_from);
      signature.push_back(links_from);  // where the members end, so that no two kinds of entry mix
      colour_.communicator[c] = numbers.number(signature);
    }
    return numbers.size();
  }

  std::size_t refine_links() {
    Numbering numbers;
    Signature signature;
    std::vector<std::pair<int, int>> uses;
    for (std::size_t l = 0; l < on_link_.size(); ++l) {
      uses.clear();
      for (const Incidence& use : on_link_[l]) {
        const int colour = colour_.communicator[static_cast<std::size_t>(use.communicator)];
        uses.emplace_back(colour * kNumTrafficKinds + use.kind, use.weight);
      }
      std::sort(uses.begin(), uses.end());
      signature.assign(1, static_cast<std::uint64_t>(colour_.link[l]));
      for (std::size_t i = 0; i < uses.size();) {
        int weight = 0;
        const int flow = uses[i].first;
        for (; i < uses.size() && uses[i].first == flow; ++i) weight += uses[i].second;
        signature.push_back(pack(flow, weight));
      }
      colour_.link[l] = numbers.number(signature);
    }
    return numbers.size();
  }

  std::size_t refine_ranks() {
    Numbering numbers;
    Signature signature;
    for (std::size_t r = 0; r < colour_.rank.size(); ++r) {
      signature.assign(1, static_cast<std::uint64_t>(colour_.rank[r]));
      for (const int communicator : program_.communicators_of_rank[r]) {
        signature.push_back(
            communicator < 0 ? ~0ull
                             : static_cast<std::uint64_t>(
                                   colour_.communicator[static_cast<std::size_t>(communicator)]));
      }
      colour_.rank[r] = numbers.number(signature);
    }
    return numbers.size();
  }

  const StepProgram& program_;
  const std::vector<CommunicatorFlows>& flows_;
  std::vector<std::vector<Incidence>> on_link_;
  Partition colour_;
};

std::vector<int> identity(std::size_t size) {
  std::vector<int> numbers(size);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

}  // namespace

Partition refine(const StepProgram& program, const std::vector<CommunicatorFlows>& flows,
                 const std::vector<double>& rates, const Cluster& cluster) {
  return Refinement(program, flows, cluster.links().size()).run(rates, cluster);
}

Partition discrete_partition(const StepProgram& program, std::size_t num_links) {
  return {identity(program.program_of_rank.size()), identity(program.communicators.size()),
          identity(num_links)};
}

}  // namespace stepcast
