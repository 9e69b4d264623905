// Exact folding: ranks, communicators and links that behave alike become one class each, and one
// representative of every class is simulated with the weight of all. Folded and unfolded programs
// give the same times for every instruction (docs/models.md states the theorem).
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "models/collectives.h"
#include "models/step_program.h"
#include "topology/group_layout.h"
#include "topology/placement.h"

namespace stepcast {

struct FoldedRank {
  int program = 0;
  double rate = 1.0;               ///< speed of its GPU
  std::vector<int> communicators;  ///< [local number] -> folded communicator, or -1
  int representative = 0;          ///< lowest rank of the class, by its number in the job
  int members = 0;                 ///< of the job
};

struct FoldedLink {
  BytesPerSecond bandwidth;
  LinkId representative = 0;
  int members = 1;
};

/// One of those who meet in a call of a communicator: a rank class, and the number by which its
/// program calls it.
struct Arrival {
  int rank_class;
  int local_number;
  friend auto operator<=>(const Arrival&, const Arrival&) = default;
};

/// One kind of a communicator class's traffic. `links` are folded links with the weight of the
/// class's flows on one link of that class together.
struct FoldedTraffic {
  std::vector<WeightedLink> links;
  BytesPerSecond pace;  ///< min over links of bandwidth / weight; 0 if it crosses none
};

struct FoldedCommunicator {
  PerTraffic<FoldedTraffic> traffic;
  std::vector<Transfer> transfers;  ///< [operation of the program]; unused ones are empty
  std::vector<Arrival> arrivals;    ///< ascending; a call begins when all have come

  const FoldedTraffic& traffic_of(const Transfer& transfer) const {
    return traffic[index(transfer.traffic)];
  }
};

/// Another job's flow; those on links of a class are there once, on its representative.
struct FoldedBackground {
  std::vector<int> links;  ///< folded
  BytesPerSecond rate;
};

struct FoldedProgram {
  const StepProgram* program = nullptr;
  std::vector<FoldedRank> ranks;
  std::vector<FoldedCommunicator> communicators;
  std::vector<FoldedLink> links;
  std::vector<FoldedBackground> background;
  std::vector<int> class_of_rank;  ///< of every placed rank

  const RankProgram& text(int rank_class) const {
    return program
        ->programs[static_cast<std::size_t>(ranks[static_cast<std::size_t>(rank_class)].program)];
  }
};

/// Time of an operation on a folded communicator when no other class uses its links.
Seconds alone_time(const FoldedCommunicator& communicator, int operation);
/// Bytes per second of its flow meanwhile (latency apart); 0 where it moves nothing.
BytesPerSecond alone_rate(const FoldedCommunicator& communicator, int operation);

/// The coarsest equitable partition (colour refinement) and its quotient. `program` must outlive
/// it.
FoldedProgram fold(const StepProgram& program, const Placement& placement, const Cluster& cluster,
                   const NetworkProfile& network);

/// Every rank, communicator and link a class of its own: for tests, and for the doubtful.
FoldedProgram unfolded(const StepProgram& program, const Placement& placement,
                       const Cluster& cluster, const NetworkProfile& network);

}  // namespace stepcast
