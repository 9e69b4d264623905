#include "reports/collective_explanation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/unit_text.h"
#include "reports/numbers.h"
#include "reports/table.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

std::string name_of(const auto& candidate) {
  return candidate_name(candidate.algorithm, candidate.protocol);
}

std::string place_text(const CollectiveExplanation& explanation) {
  const GroupLayout& layout = explanation.layout;
  std::string text = fmt::format("{} ranks on {} {}", layout.ranks, layout.nodes,
                                 layout.nodes == 1 ? "node" : "nodes");
  if (layout.nodes > 1) text += fmt::format(", {} a node", layout.ranks_per_node);
  return text + fmt::format("; NCCL {}", explanation.release);
}

std::string channels_text(const SearchedChannels& channels, bool across) {
  const std::string pace = across && channels.intra != channels.inter
                               ? fmt::format("{} inside nodes, {} between", to_text(channels.intra),
                                             to_text(channels.inter))
                               : to_text(channels.intra);
  return fmt::format("{} of {} (NCCL runs {})", channels.count, pace, 2 * channels.count);
}

std::string found_section(const CollectiveExplanation& explanation) {
  const GroupLayout& layout = explanation.layout;
  Table table({Align::Left, Align::Left});
  table.add_row({"ring channels", channels_text(layout.ring, layout.crosses_network)});
  table.add_row({"tree channels", channels_text(layout.tree, layout.crosses_network)});
  if (!explanation.nics.empty()) {
    table.add_row({"NICs", fmt::format("{}", fmt::join(explanation.nics, ", "))});
  }
  if (explanation.tightest_weight > 0) {
    table.add_row({"tightest link",
                   fmt::format("{}, {}, crossed {} by a unit of traffic", explanation.tightest_link,
                               to_text(explanation.tightest_bandwidth),
                               explanation.tightest_weight == 1
                                   ? std::string("once")
                                   : fmt::format("{} times", explanation.tightest_weight))});
  }
  return table.text();
}

std::string candidates_section(const CollectiveExplanation& explanation) {
  const double factor = bus_factor(explanation.kind, explanation.layout.ranks);
  Table table = Table::of_numbers(5);
  table.add_row({"", "latency", "algorithm", "bus", "time", "tuner's time"});
  for (const CollectiveCandidate& c : explanation.candidates) {
    table.add_row({name_of(c), to_text(c.latency), to_text(c.algorithm_bandwidth),
                   to_text(factor * c.algorithm_bandwidth), to_text(c.time),
                   to_text(c.tuner_time)});
  }
  return "Candidates, NCCL's choice first\n" + table.text();
}

std::string excluded_section(const CollectiveExplanation& explanation) {
  if (explanation.excluded.empty()) return {};
  Table table({Align::Left, Align::Left});
  for (const ExcludedCandidate& c : explanation.excluded) table.add_row({name_of(c), c.reason});
  return "\nNot considered\n" + table.text();
}

std::string ranges_section(const CollectiveExplanation& explanation) {
  Table table({Align::Left, Align::Left});
  for (const SizeRange& range : explanation.ranges) {
    table.add_row({"from " + to_text(range.from), name_of(range)});
  }
  return "By size\n" + table.text();
}

Json to_json(const SearchedChannels& channels) {
  return {{"count", channels.count},
          {"inside_bytes_per_s", channels.intra.value()},
          {"between_bytes_per_s", channels.inter.value()}};
}

Json to_json(const CollectiveCandidate& c, double bus) {
  return {{"algorithm", word(c.algorithm)},
          {"protocol", word(c.protocol)},
          {"latency_s", c.latency.value()},
          {"algorithm_bandwidth_bytes_per_s", c.algorithm_bandwidth.value()},
          {"bus_bandwidth_bytes_per_s", bus * c.algorithm_bandwidth.value()},
          {"time_s", c.time.value()},
          {"tuner_time_s", c.tuner_time.value()}};
}

}  // namespace

std::string explanation_text(const CollectiveExplanation& explanation,
                             const std::string& collective, const std::string& group) {
  return fmt::format("{} of {}, {}: {}\n{}\n{}\n  {}.\n{}\n{}", collective,
                     to_text(explanation.message), group, place_text(explanation),
                     found_section(explanation), candidates_section(explanation), explanation.why(),
                     excluded_section(explanation), ranges_section(explanation));
}

nlohmann::ordered_json explanation_json(const CollectiveExplanation& explanation,
                                        const std::string& collective, const std::string& group) {
  const GroupLayout& layout = explanation.layout;
  const double bus = bus_factor(explanation.kind, layout.ranks);
  Json json = {{"schema", 1},
               {"collective", collective},
               {"message_bytes", explanation.message.value()},
               {"group", group},
               {"ranks", layout.ranks},
               {"nodes", layout.nodes},
               {"ranks_per_node", layout.ranks_per_node},
               {"nccl_release", explanation.release},
               {"ring_channels", to_json(layout.ring)},
               {"tree_channels", to_json(layout.tree)},
               {"nics", explanation.nics},
               {"why", explanation.why()},
               {"candidates", Json::array()},
               {"excluded", Json::array()},
               {"ranges", Json::array()}};
  if (explanation.tightest_weight > 0) {
    json["tightest_link"] = {{"name", explanation.tightest_link},
                             {"bandwidth_bytes_per_s", explanation.tightest_bandwidth.value()},
                             {"crossings", explanation.tightest_weight}};
  }
  for (const CollectiveCandidate& c : explanation.candidates) {
    json["candidates"].push_back(to_json(c, bus));
  }
  for (const ExcludedCandidate& c : explanation.excluded) {
    json["excluded"].push_back(
        {{"algorithm", word(c.algorithm)}, {"protocol", word(c.protocol)}, {"reason", c.reason}});
  }
  for (const SizeRange& range : explanation.ranges) {
    json["ranges"].push_back({{"from_bytes", range.from.value()},
                              {"algorithm", word(range.algorithm)},
                              {"protocol", word(range.protocol)}});
  }
  return json;
}

}  // namespace stepcast
