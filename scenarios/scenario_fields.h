// The keys of a scenario. Private to scenarios/: a scenario is read by scenario.h's functions,
// which also choose the profile and check the plan.
#pragma once

#include "base/fields.h"
#include "scenarios/scenario.h"

namespace stepcast {

/// When reading, `calibration` must have been taken out: what it is laid over is profile_choice.h's
/// to know.
void describe(Fields& f, Scenario& scenario);
void describe(Fields& f, Fault& fault);
/// The keys of `cluster`.
void describe_cluster(Fields& f, Scenario& scenario);
void describe(Fields& f, Figures& figures);

/// Whether the cluster's fabric was given: on one node it need not be.
bool has_fabric(const ClusterSpec& cluster);

}  // namespace stepcast
