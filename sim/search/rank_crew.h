// The workers of all ranks of a job as one crew: rank 0 hands out, the others serve.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/crew.h"
#include "sim/search/message_passing.h"

namespace stepcast {

/// Rank 0's. Without a job of several ranks it is the local crew.
class RankCrew {
 public:
  /// Waits for the other ranks to say how many workers they have; all must have come to the same
  /// `search`. Throws InputError where one has not. `ranks` is null where there are no
  /// others. Both must outlive this.
  RankCrew(Crew& local, MessagePassing* ranks, const std::string& search);
  /// Sends the other ranks home.
  ~RankCrew();
  RankCrew(const RankCrew&) = delete;
  RankCrew& operator=(const RankCrew&) = delete;

  int size() const;
  int idle() const;
  void hand_out(std::size_t number, std::string_view task);
  std::vector<CrewReport> wait(int timeout_ms);

 private:
  void send_home();

  Crew& local_;
  MessagePassing* ranks_;
  std::vector<int> idle_of_rank_;
  int remote_ = 0;  // workers of other ranks
};

/// Another rank's part: works off what rank 0 hands out until it is sent home. `problem` says why
/// this rank cannot work; rank 0 then ends the job.
void serve_rank(Crew& local, MessagePassing& ranks, const std::string& search,
                const std::string& problem);

}  // namespace stepcast
