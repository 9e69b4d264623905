#include "reports/upgrade.h"

#include <fmt/format.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "base/contract.h"
#include "base/unit_text.h"
#include "reports/json.h"
#include "reports/numbers.h"
#include "reports/table.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;
using Text = std::function<std::string(double)>;

// A figure before and after; "-" where one of them is not known.
void add_move(Table& table, const std::string& label, const std::optional<double>& before,
              const std::optional<double>& after, const Text& text = rounded_text) {
  const bool comparable = before && after && *before > 0.0;
  table.add_row({label, before ? text(*before) : "-", after ? text(*after) : "-",
                 comparable ? signed_share_text(*after / *before - 1.0) : "-"});
}

std::string moves_table(const StepReport& before, const StepReport& after) {
  Table table = Table::of_numbers(3);
  table.add_row({"", "before", "after", "change"});
  const auto time = [](double seconds) { return to_text(Seconds(seconds)); };
  add_move(table, "step time", before.step_time.value(), after.step_time.value(), time);
  add_move(table, "tokens/s", before.tokens_per_s, after.tokens_per_s);
  add_move(table, "USD an hour", before.cost->usd_per_hour, after.cost->usd_per_hour);
  add_move(table, "USD per million tokens", before.cost->usd_per_million_tokens,
           after.cost->usd_per_million_tokens);
  add_move(table, "training, hours", before.cost->training_hours, after.cost->training_hours);
  add_move(table, "training, USD", before.cost->training_usd, after.cost->training_usd);
  return table.text();
}

std::string payback_table(const Payback& payback, const Purchase& purchase) {
  Table table = Table::of_numbers(1);
  table.add_row({"capital", usd_text(purchase.capital_usd)});
  table.add_row({"saved in an hour of training", usd_text(payback.usd_saved_per_hour)});
  table.add_row({purchase.horizon_hours ? "horizon" : "horizon: the training",
                 payback.horizon_hours ? hours_text(*payback.horizon_hours) : "-"});
  table.add_row(
      {"payback time", payback.payback_hours ? hours_text(*payback.payback_hours) : "never"});
  table.add_row(
      {"break-even price", payback.break_even_usd ? usd_text(*payback.break_even_usd) : "none"});
  return table.text();
}

std::string fit_clause(const StepReport& report, const char* when) {
  return report.fits ? "" : fmt::format("; the model does not fit into memory {}", when);
}

std::string verdict(const Payback& payback, const Purchase& purchase) {
  if (!payback.payback_hours) return "The upgrade never pays: a token costs no less than before";
  const std::string over = purchase.horizon_hours ? "its horizon" : "the training";
  if (!payback.horizon_hours) {
    return fmt::format("The upgrade has paid for itself after {} of training",
                       hours_text(*payback.payback_hours));
  }
  const double gain = *payback.break_even_usd - purchase.capital_usd;
  if (gain < 0.0) {
    return fmt::format("The upgrade does not pay within {}: {} short of its capital", over,
                       usd_text(-gain));
  }
  return fmt::format("The upgrade pays within {}: {} more than its capital", over, usd_text(gain));
}

std::string answer(const StepReport& before, const StepReport& after, const Payback& payback,
                   const Purchase& purchase) {
  return verdict(payback, purchase) + fit_clause(before, "before") + fit_clause(after, "after") +
         ".";
}

Json or_null(const std::optional<double>& number) { return number ? Json(*number) : Json(); }

}  // namespace

Payback payback(const StepReport& before, const StepReport& after, const Purchase& purchase) {
  STEPCAST_REQUIRES(before.cost && after.cost);
  // A token's price before, times the tokens of an hour after.
  const double same_tokens_before =
      before.cost->usd_per_hour * (after.tokens_per_s / before.tokens_per_s);
  Payback result;
  result.usd_saved_per_hour = same_tokens_before - after.cost->usd_per_hour;
  result.horizon_hours =
      purchase.horizon_hours ? purchase.horizon_hours : after.cost->training_hours;
  if (result.usd_saved_per_hour <= 0.0) return result;
  result.payback_hours = purchase.capital_usd / result.usd_saved_per_hour;
  if (result.horizon_hours) {
    result.break_even_usd = result.usd_saved_per_hour * *result.horizon_hours;
  }
  return result;
}

std::string upgrade_text(const Prediction& before, const Prediction& after,
                         const Purchase& purchase) {
  const Payback result = payback(before.report, after.report, purchase);
  return fmt::format("{}\n  upgraded by {}\n\n{}\n{}\n{}\n", before.report.title, purchase.patch,
                     moves_table(before.report, after.report), payback_table(result, purchase),
                     answer(before.report, after.report, result, purchase));
}

Json upgrade_json(const Prediction& before, const Prediction& after, const Purchase& purchase) {
  const Payback result = payback(before.report, after.report, purchase);
  return {{"schema", 1},
          {"before", result_json(before.report)},
          {"after", result_json(after.report)},
          {"upgrade", Json::parse(purchase.patch)},
          {"capital_usd", purchase.capital_usd},
          {"usd_saved_per_hour", result.usd_saved_per_hour},
          {"horizon_hours", or_null(result.horizon_hours)},
          {"payback_hours", or_null(result.payback_hours)},
          {"break_even_usd", or_null(result.break_even_usd)},
          {"answer", answer(before.report, after.report, result, purchase)}};
}

}  // namespace stepcast
