// What a log of NCCL_DEBUG=INFO says of the cluster that it ran on, as keys of a scenario. It holds
// no times: it chooses what the times of other logs are fitted with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "calibration/readers/nccl_info.h"
#include "scenarios/scenario.h"

namespace stepcast {

/// Whether NCCL itself printed into a log, and whether a program of nccl-tests printed a table.
bool holds_nccl_lines(std::string_view text);
bool holds_nccl_tests_table(std::string_view text);

struct NcclFacts {
  NcclChoice choice;  ///< the scenario's, and where it says nothing, the log's
  std::vector<std::string> findings;
};

/// Takes over the version, algorithm and protocol that were forced, and channels where fewer run
/// than the model finds. Says how many NICs were found, whether GPUs reach them directly, how rings
/// cross between nodes and how many logged choices of algorithms are the model's.
///
/// Throws InputError where the log contradicts the scenario: another version or forced choice than
/// it states, more ranks or fewer NICs than it has, sockets in place of its fabric or the reverse.
/// Lines of nccl-tests in between do no harm.
NcclFacts nccl_facts(const NcclInfoLog& log, const Scenario& scenario);

}  // namespace stepcast
