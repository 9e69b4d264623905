// What moves the bytes: how much of a step's traffic each link carries, and for which part of the
// work.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/units.h"
#include "models/step_program.h"
#include "scenarios/scenario.h"
#include "topology/placement.h"

namespace stepcast {

/// Links of one kind that carry the same.
struct LinkLoad {
  std::string name;  ///< of the first
  int alike = 1;     ///< how many there are, the first included
  BytesPerSecond bandwidth;
  std::array<Bytes, kNumActivities> carried{};  ///< by each of them over the step, by activity

  Bytes total() const;
  Activity busiest() const;  ///< the activity that fills it most
  double utilisation(Seconds step_time) const { return total() / (bandwidth * step_time); }
};

/// Bytes of every link over one run of the program: those of each collective and message times the
/// weight with which it crosses the link. Bytes count as the links see them, so protocols' flags
/// are among them. Links that carry nothing are left out; most utilised first, of equals in the
/// order of the cluster's links. Requires every rank placed.
std::vector<LinkLoad> link_loads(const StepProgram& program, const Placement& placement,
                                 const Cluster& cluster, const NetworkProfile& network);

/// The same of a scenario's step, all its replicas placed.
std::vector<LinkLoad> link_loads(const Scenario& scenario);

/// [LinkId] -> all bytes that it carries in the scenario's step.
std::vector<Bytes> carried_by_links(const Scenario& scenario, const Cluster& cluster);

}  // namespace stepcast
