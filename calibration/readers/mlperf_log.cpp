// MLPerf training's log: ":::MLLOG {json}" lines of mlcommons/logging.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/fields.h"
#include "base/text_lines.h"
#include "calibration/readers/log_fields.h"

namespace stepcast {
namespace {

using nlohmann::json;

constexpr std::string_view marker = ":::MLLOG";

class MlperfReader {
 public:
  explicit MlperfReader(const std::string& file) {
    log_.file = file;
    log_.format = "MLPerf";
  }

  void read_line(std::string_view line, std::size_t number) {
    const std::size_t found = line.find(marker);
    if (found == std::string_view::npos) return;
    place_ = line_place(log_.file, number);
    line_ = static_cast<int>(number) + 1;
    const json entry = entry_of(line.substr(found + marker.size()));
    const std::string key = entry.value("key", "");
    if (key == "global_batch_size") log_.global_batch = whole(entry, "value");
    if (key == "tracked_stats") read_stats(entry);
    if (key == "block_start") begin_block(entry);
    if (key == "block_stop") end_block(entry);
  }

  TrainingLog finish() {
    check_iterations(log_,
                     "tracked_stats with train_step_time or throughput, or block_start and "
                     "block_stop with samples_count");
    return std::move(log_);
  }

 private:
  json entry_of(std::string_view text) const {
    json entry = json::parse(text, nullptr, false);
    if (entry.is_discarded() || !entry.is_object()) {
      throw InputError(place_, "what follows :::MLLOG is no JSON object",
                       "the log seems to be cut off");
    }
    return entry;
  }

  std::int64_t whole(const json& object, const char* key) const {
    const auto found = object.find(key);
    if (found != object.end() && found->is_number()) {
      return static_cast<std::int64_t>(found->get<double>());
    }
    throw InputError(place_, fmt::format("the entry's \"{}\" is no number", key));
  }

  static std::optional<double> figure(const json& object, const char* key) {
    if (!object.is_object()) return std::nullopt;
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number()) return std::nullopt;
    const double value = found->get<double>();
    return value > 0 ? std::optional(value) : std::nullopt;
  }

  void read_stats(const json& entry) {
    const json value = entry.value("value", json::object());
    LoggedIteration iteration;
    iteration.line = line_;
    const json metadata = entry.value("metadata", json::object());
    iteration.iteration = static_cast<std::int64_t>(figure(metadata, "step").value_or(0));
    if (const auto time = figure(value, "train_step_time")) {
      iteration.time = Seconds(*time);
    } else if (const auto rate = figure(value, "throughput")) {
      iteration.samples_per_s = rate;
    } else {
      return;
    }
    log_.iterations.push_back(iteration);
  }

  void begin_block(const json& entry) {
    begun_ms_ = figure(entry, "time_ms");
    samples_ = figure(entry.value("metadata", json::object()), "samples_count").value_or(0);
  }

  // A block's rate is the mean over its samples; evaluation lies outside of blocks.
  void end_block(const json& entry) {
    const auto ended = figure(entry, "time_ms");
    const auto samples = figure(entry.value("metadata", json::object()), "samples_count");
    if (!begun_ms_ || !ended || !samples || *ended <= *begun_ms_ || *samples <= samples_) return;
    LoggedIteration iteration;
    iteration.line = line_;
    iteration.iteration = static_cast<std::int64_t>(log_.iterations.size());
    iteration.samples_per_s = (*samples - samples_) / (*ended - *begun_ms_) * 1e3;
    log_.iterations.push_back(iteration);
    begun_ms_.reset();
  }

  TrainingLog log_;
  InputPlace place_;
  int line_ = 0;
  std::optional<double> begun_ms_;
  double samples_ = 0;
};

}  // namespace

TrainingLog parse_mlperf_log(std::string_view text, const std::string& file) {
  MlperfReader reader(file);
  const std::vector<std::string_view> lines = text_lines(text, file);
  for (std::size_t i = 0; i < lines.size(); ++i) reader.read_line(lines[i], i);
  return reader.finish();
}

}  // namespace stepcast
