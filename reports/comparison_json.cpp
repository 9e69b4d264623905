#include <nlohmann/json.hpp>

#include "reports/comparison.h"
#include "reports/json.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

// Numbers that there are none of (a ratio to zero) become null.
Json to_json(const Move& move) {
  return {{"from", move.from}, {"to", move.to}, {"change", move.change()}, {"ratio", move.ratio()}};
}

Json to_json(const PartMove& part) {
  return {{"from_s", part.seconds.from},
          {"to_s", part.seconds.to},
          {"change_s", part.seconds.change()},
          {"share_of_change", part.share},
          {"gpu_seconds_per_million_tokens", to_json(part.gpu_seconds_per_million_tokens)}};
}

Json to_json(const Moved& moved) {
  Json json = {{"title", moved.title}};
  for (const FigureMove& figure : moved.figures) json[figure.key] = to_json(figure.move);
  json["gpu_seconds_per_million_tokens"] = to_json(moved.gpu_seconds_per_million_tokens);
  for (std::size_t part = 0; part < kNumActivities; ++part) {
    json["breakdown"][std::string(word(static_cast<Activity>(part)))] = to_json(moved.parts[part]);
  }
  json["answer"] = moved.answer;
  return json;
}

}  // namespace

nlohmann::ordered_json comparison_json(std::span<const Prediction> predictions) {
  Json json = {{"schema", 1}, {"scenarios", Json::array()}, {"moved", Json::array()}};
  for (const Prediction& prediction : predictions) {
    json["scenarios"].push_back(result_json(prediction.report));
  }
  for (const Moved& moved : what_moved(predictions)) json["moved"].push_back(to_json(moved));
  return json;
}

}  // namespace stepcast
