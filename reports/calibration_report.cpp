#include "reports/calibration_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/fields.h"
#include "base/unit_text.h"
#include "reports/bandwidth_curves.h"
#include "reports/numbers.h"
#include "reports/table.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

std::string group_of(const CalibrationResidual& residual) {
  if (residual.collective.empty()) return residual.kind;
  return fmt::format("{} over {} ranks", residual.collective, residual.ranks);
}

double quantile(std::vector<double> values, double share) {
  const auto last = static_cast<double>(values.size() - 1);
  const auto index = static_cast<std::size_t>(std::ceil(share * last));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(index),
                   values.end());
  return values[index];
}

std::vector<double> sizes(const std::vector<const CalibrationResidual*>& rows,
                          double CalibrationResidual::*error) {
  std::vector<double> all;
  for (const CalibrationResidual* row : rows) all.push_back(std::abs(row->*error));
  return all;
}

std::string inputs_section(const CalibrationRecord& record) {
  std::string text = record.converged
                         ? ""
                         : "The fit stopped before it converged: take its figures with care.\n\n";
  text += "Inputs\n";
  for (const CalibrationInput& input : record.inputs) {
    text += fmt::format("  {} ({}): {} of {} rows used, {}\n", input.file, input.format,
                        input.rows_used, input.rows, input.hash);
    for (const CalibrationFinding& finding : input.findings) {
      text += "    " + finding.finding + "\n";
    }
  }
  return text;
}

std::string errors_section(const CalibrationRecord& record) {
  Table table = Table::of_numbers(6);
  table.add_row({"", "rows", "before", "90 %", "after", "90 %", "left out"});
  for (const ErrorFigures& figures : error_figures(record)) {
    table.add_row({figures.group, count_text(figures.rows), share_text(figures.median_before),
                   share_text(figures.p90_before), share_text(figures.median_after),
                   share_text(figures.p90_after), share_text(figures.median_left_out)});
  }
  return "Errors, predicted / measured - 1, median and 90 % point of their sizes\n" + table.text() +
         "  left out: each row predicted with constants fitted to all the others\n";
}

// What the step times said of the constants; empty without any.
std::string steps_section(const CalibrationRecord& record) {
  const auto steps = std::count_if(record.residuals.begin(), record.residuals.end(),
                                   [](const auto& row) { return row.kind == "step_time"; });
  if (steps == 0) return {};
  const std::string odds = fmt::format("odds of e^{:.1f} for other constants", record.step_odds);
  std::string verdict = odds + ": they move them";
  if (!record.steps_moved) {
    verdict = steps == 1 ? "one alone does not tell the cluster from the run: constants stay"
                         : odds + ", e^4 is due and not by one run: constants stay";
  }
  return fmt::format(
      "Step times: {}; {}\n  a further step on one node scatters by {} about its prediction\n\n",
      steps, verdict, share_text(record.step_noise));
}

std::string with_spread(double value, double spread, bool additive) {
  if (additive) return fmt::format("{:.4g} +- {:.2g}", value, spread);
  return fmt::format("{:.4g} +- {}", value, share_text(spread));
}

// "gpu/gemm 6, network/inside_node 42": constants counted by the first two parts of their paths.
std::string families(const std::vector<std::string>& paths) {
  std::vector<std::pair<std::string, int>> counts;
  for (const std::string& path : paths) {
    const std::string family = path.substr(0, path.find('/', path.find('/') + 1));
    if (counts.empty() || counts.back().first != family) counts.emplace_back(family, 0);
    ++counts.back().second;
  }
  std::string text;
  for (const auto& [family, count] : counts) {
    text += text.empty() ? "" : ", ";
    text += count == 1 ? family : fmt::format("{} {}", family, count);
  }
  return text;
}

std::string indented(const std::string& text) {
  std::string lines = "  " + wrapped(text, 96);
  for (std::size_t at = lines.find('\n'); at != std::string::npos; at = lines.find('\n', at + 3)) {
    lines.replace(at, 1, "\n  ");
  }
  return lines + "\n";
}

std::string constants_section(const CalibrationRecord& record) {
  Table table({Align::Left, Align::Left, Align::Left, Align::Right});
  table.add_row({"", "before", "after", "spread kept"});
  std::vector<std::string> kept;
  for (const CalibratedConstant& constant : record.constants) {
    if (constant.prior_kept == 1.0) {
      kept.push_back(constant.path);
      continue;
    }
    table.add_row({constant.path,
                   with_spread(constant.prior, constant.prior_spread, constant.additive),
                   with_spread(constant.value, constant.spread, constant.additive),
                   share_text(constant.prior_kept)});
  }
  std::string text = "The measurements moved no constant\n";
  if (kept.size() < record.constants.size()) {
    text = "Constants that the measurements moved (base units)\n" + table.text();
  }
  if (kept.empty()) return text;
  return text +
         fmt::format("\nConstants that keep their prior, {} (each by name: --format json)\n",
                     kept.size()) +
         indented(families(kept));
}

std::string bandwidth_cell(const CalibrationResidual& row, double time) {
  const std::optional<BytesPerSecond> bandwidth = bus_bandwidth(row, Seconds(time));
  return bandwidth ? rounded_text(bandwidth->value() / 1e9) : "";
}

Json curve_json(const BandwidthCurve& curve) {
  Json json{{"collective", curve.collective}, {"ranks", curve.ranks}, {"points", Json::array()}};
  for (const BandwidthPoint& point : curve.points) {
    json["points"].push_back(
        {{"residual", point.residual},
         {"message_bytes", point.message.value()},
         {"measured_bytes_per_s", point.measured.value()},
         {"before_bytes_per_s", point.before.value()},
         {"fitted_bytes_per_s", point.fitted.value()},
         {"fitted_interval_bytes_per_s", {point.low.value(), point.high.value()}}});
  }
  return json;
}

std::string rows_section(const CalibrationRecord& record) {
  Table table = Table::of_numbers(8);
  table.add_row(
      {"", "line", "measured", "before", "after", "left out", "busbw GB/s", "fitted", "weight"});
  for (const CalibrationResidual& row : record.residuals) {
    const bool memory = row.kind == "peak_memory";
    const std::string measured =
        memory ? to_text(Bytes(row.measured)) : to_text(Seconds(row.measured));
    table.add_row({row.name, row.line > 0 ? count_text(row.line) : "", measured,
                   signed_share_text(row.before), signed_share_text(row.after),
                   signed_share_text(row.left_out), bandwidth_cell(row, row.measured),
                   bandwidth_cell(row, row.measured * (1 + row.after)),
                   fmt::format("{:.2f}", row.weight)});
  }
  return "Every measurement\n" + table.text();
}

}  // namespace

std::vector<ErrorFigures> error_figures(const CalibrationRecord& record) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<const CalibrationResidual*>> groups;
  for (const CalibrationResidual& residual : record.residuals) {
    const std::string group = group_of(residual);
    if (groups.count(group) == 0) order.push_back(group);
    groups[group].push_back(&residual);
  }
  std::vector<ErrorFigures> figures;
  for (const std::string& group : order) {
    const auto& rows = groups[group];
    const std::vector<double> before = sizes(rows, &CalibrationResidual::before);
    const std::vector<double> after = sizes(rows, &CalibrationResidual::after);
    figures.push_back({group, static_cast<int>(rows.size()), quantile(before, 0.5),
                       quantile(before, 0.9), quantile(after, 0.5), quantile(after, 0.9),
                       quantile(sizes(rows, &CalibrationResidual::left_out), 0.5)});
  }
  return figures;
}

std::string calibration_text(const CalibrationRecord& record, bool full) {
  std::string text = fmt::format("Calibration, with profiles {}, {} and {} as prior\n\n",
                                 record.gpu, record.network, record.framework);
  text += inputs_section(record) + "\n" + errors_section(record) + "\n" + steps_section(record) +
          constants_section(record);
  if (full) text += "\n" + rows_section(record);
  return text;
}

Json calibration_json(const CalibrationRecord& record) {
  CalibrationRecord copy = record;
  Json json = write_fields([&](Fields& f) { describe(f, copy); }, true);
  json["errors"] = Json::array();
  for (const ErrorFigures& figures : error_figures(record)) {
    json["errors"].push_back({{"group", figures.group},
                              {"rows", figures.rows},
                              {"median_before", figures.median_before},
                              {"p90_before", figures.p90_before},
                              {"median_after", figures.median_after},
                              {"p90_after", figures.p90_after},
                              {"median_left_out", figures.median_left_out}});
  }
  json["bus_bandwidths"] = Json::array();
  for (const BandwidthCurve& curve : bandwidth_curves(record)) {
    json["bus_bandwidths"].push_back(curve_json(curve));
  }
  return json;
}

std::string drift_text(const DriftTest& test, const std::string& profile_file) {
  const LinkClass& first = test.classes.front();
  std::string text =
      test.changed
          ? fmt::format("Today's measurements do not agree with {}: {} takes {} of the time\n",
                        profile_file, first.name, factor_text(first.ratio))
          : fmt::format("Today's measurements agree with {}\n", profile_file);
  text +=
      fmt::format("  chi squared {:.1f} with {} degrees of freedom over {} rows: p = {:.2g}\n\n",
                  test.statistic, test.freedom, test.rows, test.p_value);
  Table table = Table::of_numbers(3);
  table.add_row({"", "time today / profile", "spread", "z"});
  for (const LinkClass& one : test.classes) {
    table.add_row({one.name, fmt::format("{:.3f}", one.ratio), share_text(one.spread),
                   fmt::format("{:+.1f}", one.z)});
  }
  return text + table.text();
}

Json drift_json(const DriftTest& test) {
  Json json = {{"schema", 1},
               {"changed", test.changed},
               {"statistic", test.statistic},
               {"freedom", test.freedom},
               {"p_value", test.p_value},
               {"rows", test.rows},
               {"classes", Json::array()}};
  for (const LinkClass& one : test.classes) {
    json["classes"].push_back(
        {{"name", one.name}, {"ratio", one.ratio}, {"spread", one.spread}, {"z", one.z}});
  }
  return json;
}

}  // namespace stepcast
