#include "reports/replay.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/unit_text.h"
#include "reports/numbers.h"
#include "reports/table.h"
#include "sim/breakdown.h"

namespace stepcast {
namespace {

struct ReplayPart {
  Activity activity;
  std::string_view text;
  std::string_view key;
};

// What the activities of a traced step stand for (scenarios/import/chakra/traced_step.h).
constexpr std::array<ReplayPart, 6> parts{{
    {Activity::Compute, "compute", "compute_s"},
    {Activity::DataCommunication, "waiting for collectives", "collectives_s"},
    {Activity::PipelineCommunication, "waiting for messages that travel", "messages_s"},
    {Activity::PipelineBubble, "waiting for messages not yet sent", "late_messages_s"},
    {Activity::HostTransfer, "waiting for memory", "memory_s"},
    {Activity::Other, "waiting for the host", "host_s"},
}};

Seconds part_of(const Breakdown& breakdown, Activity activity) {
  return breakdown.parts[static_cast<std::size_t>(activity)];
}

int critical_rank(const Replay& replay, const Breakdown& breakdown) {
  return replay.step.folded.ranks[static_cast<std::size_t>(breakdown.rank_class)].representative;
}

}  // namespace

std::string replay_text(const Replay& replay) {
  const Breakdown breakdown = break_down(replay.step.folded, replay.step.run.timeline);
  const Seconds end = replay.step.run.timeline.end();
  std::string text =
      fmt::format("{} traced ranks on {}\n\nstep time  {}\n\nWhere it goes, on rank {}\n",
                  replay.step.program->num_ranks(), replay.cluster, to_text(end),
                  critical_rank(replay, breakdown));
  Table table({Align::Left, Align::Right, Align::Right});
  for (const ReplayPart& part : parts) {
    const Seconds time = part_of(breakdown, part.activity);
    if (!(time > Seconds())) continue;
    table.add_row({std::string(part.text), to_text(time), share_text(time / end)});
  }
  text += table.text();
  text += "\nAssumed and not carried over\n";
  for (const std::string& line : replay.caveats) text += "  " + line + "\n";
  return text;
}

nlohmann::ordered_json replay_json(const Replay& replay) {
  const Breakdown breakdown = break_down(replay.step.folded, replay.step.run.timeline);
  nlohmann::ordered_json json;
  json["cluster"] = replay.cluster;
  json["ranks"] = replay.step.program->num_ranks();
  json["step_time_s"] = replay.step.run.timeline.end().value();
  json["critical_rank"] = critical_rank(replay, breakdown);
  for (const ReplayPart& part : parts) {
    json["breakdown"][std::string(part.key)] = part_of(breakdown, part.activity).value();
  }
  json["caveats"] = replay.caveats;
  return json;
}

}  // namespace stepcast
