#include "reports/nccl_comparison.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/unit_text.h"
#include "reports/numbers.h"
#include "reports/table.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

std::string or_dash(const std::optional<int>& count) { return count ? count_text(*count) : "-"; }

Json or_null(const std::optional<int>& count) { return count ? Json(*count) : Json(); }

std::string connections_text(const ComparedCommunicator& communicator) {
  std::string text;
  for (const auto& [transport, count] : communicator.connections) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count_text(count), transport);
  }
  return text;
}

std::string communicators_section(const NcclComparison& comparison) {
  Table table({Align::Right, Align::Right, Align::Right, Align::Right, Align::Right, Align::Right,
               Align::Left});
  table.add_row({"ranks", "seen", "channels", "modelled", "crossings", "modelled", "connections"});
  for (const ComparedCommunicator& c : comparison.communicators) {
    table.add_row({count_text(c.ranks), count_text(c.seen), count_text(c.channels),
                   or_dash(c.modelled_channels), or_dash(c.crossings),
                   or_dash(c.modelled_crossings), connections_text(c)});
  }
  return "Communicators: channels that run, and how often a ring crosses between nodes\n" +
         table.text();
}

std::string calls_section(const NcclComparison& comparison) {
  Table table({Align::Left, Align::Right, Align::Left, Align::Left, Align::Left});
  table.add_row({"", "message", "logged", "modelled"});
  int agreeing = 0;
  for (const ComparedCall& call : comparison.calls) {
    agreeing += call.agrees() ? 1 : 0;
    table.add_row({call.collective, to_text(call.message), call.logged,
                   call.modelled.empty() ? "-" : call.modelled, call.agrees() ? "" : "differs"});
  }
  return fmt::format("Calls: {} of {} as modelled\n{}", agreeing, comparison.calls.size(),
                     table.text());
}

}  // namespace

std::string nccl_comparison_text(const NcclComparison& comparison) {
  std::string text;
  for (const std::string& note : comparison.notes) text += "Mind: " + note + "\n";
  if (!text.empty()) text += "\n";
  text += comparison.communicators.empty() ? "The log sets up no communicator to its end\n"
                                           : communicators_section(comparison);
  text += "\n";
  if (!comparison.calls.empty()) return text + calls_section(comparison);
  return text + "No calls: NCCL_DEBUG_SUBSYS=INIT,TUNING prints the algorithm of each\n";
}

nlohmann::ordered_json nccl_comparison_json(const NcclComparison& comparison) {
  Json json = {{"schema", 1},
               {"notes", comparison.notes},
               {"communicators", Json::array()},
               {"calls", Json::array()}};
  for (const ComparedCommunicator& c : comparison.communicators) {
    json["communicators"].push_back({{"ranks", c.ranks},
                                     {"seen", c.seen},
                                     {"line", c.line},
                                     {"channels", c.channels},
                                     {"modelled_channels", or_null(c.modelled_channels)},
                                     {"crossings", or_null(c.crossings)},
                                     {"modelled_crossings", or_null(c.modelled_crossings)},
                                     {"connections", c.connections}});
  }
  for (const ComparedCall& call : comparison.calls) {
    json["calls"].push_back({{"collective", call.collective},
                             {"message_bytes", call.message.value()},
                             {"line", call.line},
                             {"seen", call.seen},
                             {"logged", call.logged},
                             {"modelled", call.modelled},
                             {"agrees", call.agrees()}});
  }
  return json;
}

}  // namespace stepcast
