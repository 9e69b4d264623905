#include "reports/nccl_validation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <nlohmann/json.hpp>

#include "reports/csv.h"
#include "reports/numbers.h"
#include "reports/table.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

void add_figures(Json& json, const NcclErrorFigures& figures) {
  json["median_error"] = or_null(figures.median_error);
  json["p90_error"] = or_null(figures.p90_error);
  json["median_error_1mib"] = or_null(figures.median_error_1mib);
  json["p90_error_1mib"] = or_null(figures.p90_error_1mib);
}

std::map<GpuArchitecture, std::vector<NcclLogErrors>> by_architecture(
    const std::vector<NcclLogErrors>& logs) {
  std::map<GpuArchitecture, std::vector<NcclLogErrors>> groups;
  for (const NcclLogErrors& log : logs) groups[log.architecture].push_back(log);
  return groups;
}

Json to_json(const NcclLogErrors& log) {
  Json json = {{"name", log.name}, {"architecture", word(log.architecture)}};
  add_figures(json, log.figures());
  json["rows"] = Json::array();
  for (const NcclRowError& row : log.rows) {
    json["rows"].push_back({{"size_bytes", row.size.value()},
                            {"measured_s", row.measured.value()},
                            {"predicted_s", row.predicted.value()},
                            {"error", row.error()}});
  }
  return json;
}

std::string share_or_dash(const std::optional<double>& share) {
  return share ? share_text(*share) : "-";
}

std::vector<std::string> figures_row(const std::string& name, std::size_t count,
                                     const NcclErrorFigures& figures) {
  return {name,
          count_text(static_cast<std::int64_t>(count)),
          share_or_dash(figures.median_error_1mib),
          share_or_dash(figures.p90_error_1mib),
          share_or_dash(figures.median_error),
          share_or_dash(figures.p90_error)};
}

}  // namespace

nlohmann::ordered_json nccl_validation_json(const NcclValidation& validation) {
  Json json = {{"schema", 1}, {"num_logs", validation.logs.size()}};
  add_figures(json, figures_over_logs(validation.logs));
  json["architectures"] = Json::object();
  for (const auto& [architecture, logs] : by_architecture(validation.logs)) {
    Json& group = json["architectures"][std::string(word(architecture))];
    group["num_logs"] = logs.size();
    add_figures(group, figures_over_logs(logs));
  }
  json["logs"] = Json::array();
  for (const NcclLogErrors& log : validation.logs) json["logs"].push_back(to_json(log));
  json["skipped"] = validation.skipped;
  for (const NcclLogFault& fault : validation.faults) {
    json["errors"].push_back({{"name", fault.name}, {"message", fault.message}});
  }
  return json;
}

std::string nccl_validation_csv(const NcclValidation& validation) {
  std::string text = csv_line({"log", "size_bytes", "measured_s", "predicted_s", "error"});
  for (const NcclLogErrors& log : validation.logs) {
    for (const NcclRowError& row : log.rows) {
      text += csv_line({log.name, csv_number(row.size.value()), csv_number(row.measured.value()),
                        csv_number(row.predicted.value()), csv_number(row.error())});
    }
  }
  return text;
}

std::string nccl_validation_text(const NcclValidation& validation) {
  Table table = Table::of_numbers(5);
  table.add_row({"", "rows", "from 1 MiB", "90 %", "all sizes", "90 %"});
  for (const NcclLogErrors& log : validation.logs) {
    table.add_row(figures_row(log.name, log.rows.size(), log.figures()));
  }
  Table medians = Table::of_numbers(5);
  medians.add_row({"", "logs", "from 1 MiB", "90 %", "all sizes", "90 %"});
  for (const auto& [architecture, logs] : by_architecture(validation.logs)) {
    medians.add_row(
        figures_row(std::string(word(architecture)), logs.size(), figures_over_logs(logs)));
  }
  medians.add_row(figures_row("all", validation.logs.size(), figures_over_logs(validation.logs)));
  std::string text =
      "Errors of single collectives, |predicted / measured - 1|: median and 90 % "
      "quantile over the rows of each log\n" +
      table.text() + "\nOver the logs' medians\n" + medians.text();
  if (!validation.skipped.empty()) {
    const std::string names = fmt::format("{}", fmt::join(validation.skipped, ", "));
    text += fmt::format("\nSkipped, not in clusters.json: {} logs\n{}\n", validation.skipped.size(),
                        wrapped(names, 98));
  }
  for (const NcclLogFault& fault : validation.faults) {
    text += fmt::format("\nWithout an answer: {}\n  {}\n", fault.name, fault.message);
  }
  return text;
}

}  // namespace stepcast
