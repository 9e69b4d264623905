#include <nlohmann/json.hpp>

#include "reports/csv.h"
#include "reports/json.h"
#include "reports/validation.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t num_worst_runs = 3;

template <class Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

std::optional<double> error_of(const std::optional<Judged>& judged) {
  return judged ? std::optional(judged->error()) : std::nullopt;
}

std::optional<double> measured(const std::optional<Judged>& judged) {
  return judged ? std::optional(judged->measured) : std::nullopt;
}

Json to_json(const ValidationRun& run) {
  Json json = {{"title", run.title},
               {"predicted", run.predicted_step_time.value()},
               {"measured", or_null(measured(run.step_time))},
               {"error", or_null(error_of(run.step_time))},
               {"predicted_interval_s", {run.low.value(), run.high.value()}},
               {"predicted_fits", run.predicted_fits},
               {"oom_probability", run.oom_probability}};
  if (run.stalled) json["stalled"] = true;
  if (run.peak_memory) {
    json["predicted_peak_memory_bytes"] = run.peak_memory->predicted;
    json["measured_peak_memory_bytes"] = run.peak_memory->measured;
    json["peak_memory_error"] = run.peak_memory->error();
  }
  if (run.measured_fits) json["measured_fits"] = *run.measured_fits;
  if (run.fits_is_inferred) json["fits_is_inferred"] = true;
  return json;
}

Json to_json(const OomCounts& oom) {
  return {{"true_positive", oom.true_positive},
          {"false_positive", oom.false_positive},
          {"true_negative", oom.true_negative},
          {"false_negative", oom.false_negative}};
}

Json reliability(std::span<const ValidationRun> runs) {
  Json list = Json::array();
  for (const ReliabilityBin& bin : oom_reliability(runs)) {
    list.push_back({{"probability_from", bin.from},
                    {"probability_to", bin.to},
                    {"mean_probability", bin.mean_probability},
                    {"ran", bin.ran},
                    {"failed", bin.failed},
                    {"failed_inferred", bin.failed_inferred},
                    {"share_that_ran", or_null(bin.share_that_ran())}});
  }
  return list;
}

void add_figures(Json& json, std::span<const ValidationRun> runs) {
  const ValidationFigures figures = validation_figures(runs);
  json["num_runs"] = figures.runs;
  json["num_timed_runs"] = figures.timed_runs;
  json["step_time_mape"] = or_null(figures.step_time_mape);
  json["step_time_median_error"] = or_null(figures.step_time_median_error);
  json["step_time_bias"] = or_null(figures.step_time_bias);
  json["peak_memory_mape"] = or_null(figures.peak_memory_mape);
  json["oom"] = to_json(figures.oom);
  json["oom_inferred"] = to_json(figures.oom_inferred);
  json["interval_coverage_90"] = or_null(figures.interval_coverage_90);
  json["median_interval_width"] = or_null(figures.median_interval_width);
  json["stalled"] = figures.stalled;
  json["oom_reliability"] = reliability(runs);
}

// The same figures once more where some runs stalled.
void add_without_stalled(Json& json, std::span<const ValidationRun> runs) {
  const std::vector<ValidationRun> rest = unstalled_runs(runs);
  if (rest.size() == runs.size()) return;
  json["without_stalled"] = Json::object();
  add_figures(json["without_stalled"], rest);
}

Json to_json(std::span<const ValidationRun> runs) {
  Json list = Json::array();
  for (const ValidationRun& run : runs) list.push_back(to_json(run));
  return list;
}

Json to_json(const ValidationSuite& suite) {
  Json json = {{"title", suite.title}};
  add_figures(json, suite.runs);
  add_without_stalled(json, suite.runs);
  json["worst"] = to_json(worst_runs(suite, num_worst_runs));
  return json;
}

// Every run with the title of its suite.
Json runs_of(std::span<const ValidationSuite> suites) {
  Json list = Json::array();
  for (const ValidationSuite& suite : suites) {
    for (const ValidationRun& run : suite.runs) {
      Json json = {{"suite", suite.title}};
      json.update(to_json(run));
      list.push_back(std::move(json));
    }
  }
  return list;
}

Json errors(std::span<const ValidationSuite> suites) {
  Json list = Json::array();
  for (const ValidationSuite& suite : suites) {
    for (const ValidationError& error : suite.errors) {
      list.push_back({{"suite", suite.title}, {"title", error.title}, {"message", error.message}});
    }
  }
  return list;
}

std::string cell(const std::optional<double>& number) { return number ? csv_number(*number) : ""; }

std::string cell(bool truth) { return truth ? "true" : "false"; }

}  // namespace

nlohmann::ordered_json validation_json(std::span<const ValidationSuite> suites) {
  const std::vector<ValidationRun> runs = all_runs(suites);
  Json json = {{"schema", 1}};
  add_figures(json, runs);
  add_without_stalled(json, runs);
  json["suites"] = Json::array();
  for (const ValidationSuite& suite : suites) json["suites"].push_back(to_json(suite));
  json["runs"] = runs_of(suites);
  if (Json list = errors(suites); !list.empty()) json["errors"] = std::move(list);
  return json;
}

std::string validation_csv(std::span<const ValidationSuite> suites) {
  std::string text =
      csv_line({"suite", "title", "predicted_step_time_s", "predicted_low_s", "predicted_high_s",
                "measured_step_time_s", "step_time_error", "predicted_peak_memory_bytes",
                "measured_peak_memory_bytes", "peak_memory_error", "predicted_fits",
                "measured_fits", "fits_is_inferred", "stalled"});
  for (const ValidationSuite& suite : suites) {
    for (const ValidationRun& run : suite.runs) {
      const auto& memory = run.peak_memory;
      text += csv_line({suite.title, run.title, csv_number(run.predicted_step_time.value()),
                        csv_number(run.low.value()), csv_number(run.high.value()),
                        cell(measured(run.step_time)), cell(error_of(run.step_time)),
                        memory ? csv_number(memory->predicted) : "", cell(measured(memory)),
                        cell(error_of(memory)), cell(run.predicted_fits),
                        run.measured_fits ? cell(*run.measured_fits) : "",
                        cell(run.fits_is_inferred), cell(run.stalled)});
    }
  }
  return text;
}

}  // namespace stepcast
