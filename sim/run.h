// Picks the engine and runs a folded program through it, fused where that changes nothing.
#pragma once

#include <string>

#include "sim/fusing.h"
#include "sim/timeline.h"

namespace stepcast {

enum class EngineChoice { Event, Analytic, Auto };

struct EngineRun {
  Timeline timeline;
  EngineChoice engine = EngineChoice::Event;  ///< Event or Analytic: which gave the times
  FusePlan plan;                              ///< the blocks that ran as one duration
};

/// Event: blocks are fused, the timeline is checked, blocks that met other traffic are taken apart
/// and the program runs again until none is left. Auto: the analytic timeline where the certificate
/// holds
/// (`timeline.certified`), else as Event.
EngineRun run_engine(const FoldedProgram& folded, EngineChoice choice);

/// The SimGrid settings that every event-engine result rests on, for reports.
std::string simgrid_settings_text();

}  // namespace stepcast
