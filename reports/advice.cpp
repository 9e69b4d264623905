#include "reports/advice.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/unit_text.h"
#include "reports/numbers.h"
#include "reports/table.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

// A word that a shell hands on as it is. No change holds a single quote.
std::string shell_word(const std::string& text) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./=";
  return text.find_first_not_of(plain) == std::string::npos ? text : "'" + text + "'";
}

std::string as_options(const std::vector<std::string>& changes) {
  std::string text;
  for (const std::string& change : changes) {
    text += (text.empty() ? "--set " : " --set ") + shell_word(change);
  }
  return text;
}

std::vector<std::string> row(const std::string& name, const StepReport& report, double fastest) {
  const std::string cost = report.cost ? usd_text(report.cost->usd_per_million_tokens) : "";
  return {name, to_text(report.step_time),     factor_text(fastest / report.tokens_per_s),
          cost, to_text(report.memory_peak()), share_text(report.oom_probability)};
}

Json described(const char* type, const char* doc) { return {{"type", type}, {"description", doc}}; }

}  // namespace

std::string advice_text(const AdviceReport& advice, const StepReport& as_it_is) {
  if (advice.fits_already) return "Advice\n  It fits as it is.\n";
  if (advice.ways.empty()) {
    return fmt::format(
        "Advice\n  Nothing fits: {} changes tried, of one, two and three keys. More GPUs, or GPUs "
        "with more memory, are left.\n",
        count_text(advice.tried));
  }
  Table table({Align::Left, Align::Right, Align::Right, Align::Right, Align::Right, Align::Right});
  const bool priced = as_it_is.cost.has_value();
  table.add_row({"", "step time", "cost per token", priced ? "per million" : "", "memory",
                 "risk of running out"});
  const double fastest = advice.ways.front().report.tokens_per_s;
  table.add_row(row("as it is", as_it_is, fastest));
  for (const Advice& way : advice.ways) {
    table.add_row(row(as_options(way.changes), way.report, fastest));
  }
  return fmt::format(
      "Advice: the smallest changes that fit, the cheapest per token first, as options for the "
      "command\n{}",
      table.text());
}

nlohmann::ordered_json advice_json(const AdviceReport& advice) {
  Json ways = Json::array();
  for (const Advice& way : advice.ways) {
    const StepReport& report = way.report;
    Json json = {{"changes", way.changes},
                 {"step_time_s", report.step_time.value()},
                 {"tokens_per_s", report.tokens_per_s},
                 {"relative_cost", advice.ways.front().report.tokens_per_s / report.tokens_per_s},
                 {"peak_memory_bytes", report.memory_peak().value()},
                 {"oom_probability", report.oom_probability}};
    if (report.cost) json["usd_per_million_tokens"] = report.cost->usd_per_million_tokens;
    ways.push_back(std::move(json));
  }
  return {{"fits_already", advice.fits_already}, {"tried", advice.tried}, {"ways", ways}};
}

nlohmann::ordered_json advice_schema() {
  const Json way = {
      {"type", "object"},
      {"properties",
       {{"changes",
         {{"type", "array"},
          {"items", {{"type", "string"}}},
          {"description", "as --set takes them"}}},
        {"step_time_s", described("number", "one optimizer step")},
        {"tokens_per_s", described("number", "of the whole cluster")},
        {"relative_cost", described("number", "per token, over the cheapest way's")},
        {"peak_memory_bytes", described("number", "device memory of the fullest GPU")},
        {"oom_probability", described("number", "of running out of memory")},
        {"usd_per_million_tokens", described("number", "where the scenario has a price")}}}};
  return {{"type", "object"},
          {"description", "with --advise: the smallest changes that fit, cheapest first"},
          {"properties",
           {{"fits_already", described("boolean", "nothing needs to change")},
            {"tried", described("integer", "changed scenarios that were predicted")},
            {"ways", {{"type", "array"}, {"items", way}}}}}};
}

}  // namespace stepcast
