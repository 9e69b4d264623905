#include "reports/step_drawing.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "reports/topology_map.h"
#include "sim/link_loads.h"
#include "sim/memory_timeline.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_drawings = 8;
constexpr int memory_points = 400;
constexpr double shortest_gap = 1.0 / 2000;  // of the step: less than a pixel

/// WordList by the order in which they are first used.
class WordList {
 public:
  std::size_t number(std::string_view word) {
    const auto found = std::find(words_.begin(), words_.end(), word);
    if (found != words_.end()) return static_cast<std::size_t>(found - words_.begin());
    words_.emplace_back(word);
    return words_.size() - 1;
  }

  const std::vector<std::string>& all() const { return words_; }

 private:
  std::vector<std::string> words_;
};

struct DrawnSpan {
  Seconds begin, end;
  std::string_view name, activity;
  int micro_batch;
};

// Waits are gaps, as an eye takes them: a message and a collective begin when all have come.
Seconds begin_of(const Instruction& instruction, const Span& span) {
  switch (instruction.kind) {
    case InstructionKind::Collective:
    case InstructionKind::Send:
    case InstructionKind::Receive:
      return span.flow_begin;
    default:
      return span.begin;
  }
}

std::vector<DrawnSpan> spans_of(const SimulatedStep& step, int rank_class, Stream stream,
                                Seconds gap) {
  const auto& instructions = step.folded.text(rank_class).stream(stream);
  std::vector<DrawnSpan> drawn;
  for (const Span& span : step.run.timeline.ranks[static_cast<std::size_t>(rank_class)]
                              .streams[static_cast<std::size_t>(stream)]) {
    const Instruction& instruction = instructions[static_cast<std::size_t>(span.instruction)];
    if (instruction.kind == InstructionKind::Wait) continue;
    const DrawnSpan one{begin_of(instruction, span), span.end, word(instruction.work),
                        word(instruction.activity), instruction.micro_batch};
    if (one.end <= one.begin) continue;
    if (!drawn.empty() && drawn.back().name == one.name && drawn.back().activity == one.activity &&
        one.begin - drawn.back().end < gap && one.end - one.begin < gap) {
      drawn.back().end = one.end;
    } else {
      drawn.push_back(one);
    }
  }
  return drawn;
}

std::vector<int> stages_drawn(const SimulatedStep& step) {
  const int stages = static_cast<int>(step.program->programs.size());
  const int drawn = std::min(stages, most_stages_drawn);
  std::vector<int> chosen;
  for (int i = 0; i < drawn; ++i) {
    chosen.push_back(drawn == 1 ? 0 : i * (stages - 1) / (drawn - 1));
  }
  return chosen;
}

Json memory_json(const SimulatedStep& step, int stage) {
  Json points = Json::array();
  for (const MemoryPoint& point :
       memory_over_time(step.folded, step.run.timeline, stage, memory_points)) {
    points.push_back({point.at.value(), point.allocated.value()});
  }
  return {{"stage", stage}, {"points", std::move(points)}};
}

/// How full each link is over the step, by LinkId.
std::vector<double> utilisations(const Cluster& cluster, std::span<const Bytes> carried,
                                 Seconds step_time) {
  std::vector<double> shares;
  for (std::size_t l = 0; l < carried.size(); ++l) {
    shares.push_back(carried[l] / (cluster.links()[l].bandwidth * step_time));
  }
  return shares;
}

int busiest_node(const Cluster& cluster, const std::vector<double>& shares) {
  const std::vector<ClusterDevice> devices = cluster.devices();
  double most = 0;
  int busiest = 0;
  for (std::size_t l = 0; l < shares.size(); ++l) {
    const int node = devices[static_cast<std::size_t>(cluster.links()[l].from)].node;
    if (node < 0 || shares[l] <= most) continue;
    most = shares[l];
    busiest = node;
  }
  return busiest;
}

Json map_with_use(const ClusterMap& map, const Cluster& cluster,
                  const std::vector<double>& shares) {
  Json json = map_json(map, cluster);
  for (std::size_t l = 0; l < map.links.size(); ++l) {
    double fullest = 0;
    for (const LinkId id : map.links[l].links) {
      fullest = std::max(fullest, shares[static_cast<std::size_t>(id)]);
    }
    json["links"][l]["utilisation"] = fullest;
  }
  return json;
}

}  // namespace

Json step_drawing(const SimulatedStep& step) {
  const Seconds end = step.run.timeline.end();
  WordList names, activities;
  Json tracks = Json::array();
  Json memory = Json::array();
  for (const int stage : stages_drawn(step)) {
    const int rank_class = class_of_stage(step.folded, stage);
    for (int s = 0; s < kNumStreams; ++s) {
      const auto stream = static_cast<Stream>(s);
      Json spans = Json::array();
      for (const DrawnSpan& span : spans_of(step, rank_class, stream, end * shortest_gap)) {
        spans.push_back({span.begin.value(), span.end.value(), names.number(span.name),
                         activities.number(span.activity), span.micro_batch});
      }
      if (spans.empty()) continue;
      tracks.push_back({{"stage", stage}, {"stream", word(stream)}, {"spans", std::move(spans)}});
    }
    memory.push_back(memory_json(step, stage));
  }
  return {{"step_time_s", end.value()},  {"stages", step.program->programs.size()},
          {"names", names.all()},        {"activities", activities.all()},
          {"tracks", std::move(tracks)}, {"memory", std::move(memory)}};
}

Json link_drawing(const Scenario& scenario, Seconds step_time) {
  const Cluster cluster(scenario.cluster);
  const std::vector<double> shares =
      utilisations(cluster, carried_by_links(scenario, cluster), step_time);
  if (std::none_of(shares.begin(), shares.end(), [](double share) { return share > 0; })) return {};
  const int node = busiest_node(cluster, shares);
  Json json{{"node_number", node},
            {"node", map_with_use(map_of_node(cluster, node), cluster, shares)}};
  if (cluster.num_nodes() > 1) {
    json["network"] = map_with_use(map_of_network(cluster), cluster, shares);
  }
  return json;
}

namespace {

Json drawing_of(const Prediction& prediction) {
  const bool analytic = prediction.report.engine.name == "analytic";
  const SimulatedStep step = simulate(
      prediction.scenario, {.engine = analytic ? EngineChoice::Analytic : EngineChoice::Event});
  Json json = step_drawing(step);
  json["use"] = link_drawing(prediction.scenario, prediction.report.step_time);
  return json;
}

}  // namespace

Json drawings_of(std::span<const Prediction> predictions) {
  Json list = Json::array();
  for (const Prediction& prediction :
       predictions.first(std::min(predictions.size(), most_drawings))) {
    list.push_back(drawing_of(prediction));
  }
  return list;
}

}  // namespace stepcast
