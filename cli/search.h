// Runs a search for a command: worker processes, the database, a line of progress, and an early end
// that still answers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "reports/sweep.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's name
class Option;
}

namespace stepcast {

/// What a search understands beside the options of every scenario.
struct SearchOptions {
  std::string database;  ///< empty: none
  std::optional<Seconds> time_limit;
};

/// Adds the goal's options, each a setting of the scenario's key `search`.
std::vector<CLI::Option*> add_goal_options(CLI::App& command, ReadOptions& read);
/// Of one search.
CLI::Option* add_time_limit(CLI::App& command, SearchOptions& options);

/// Whether mpirun started this process as one of several.
bool is_mpi_job();

/// Whether this process speaks for the job.
bool is_first_rank();

/// Searches on this machine.
SweepAnswer search(const LayoutSpace& space, const ScenarioOptions& options,
                   const SearchOptions& search);

/// Searches on all ranks of an MPI job. Every rank calls it; only rank 0 gets an answer. `problem`
/// says why this rank has no space.
std::optional<SweepAnswer> search_on_all_ranks(const LayoutSpace* space, const std::string& problem,
                                               const ScenarioOptions& options,
                                               const SearchOptions& search);

}  // namespace stepcast
