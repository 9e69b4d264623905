#include "cli/fit_tables.h"

#include <fmt/format.h>

#include <cmath>

#include "base/statistics.h"
#include "reports/numbers.h"
#include "reports/table.h"

namespace stepcast {

void FitErrors::add(double error) { errors_.push_back(error); }

std::vector<std::string> FitErrors::cells() const {
  if (errors_.empty()) return {"0", "-", "-", "-", "-"};
  std::vector<double> sizes;
  double total = 0;
  double sum = 0;
  for (const double error : errors_) {
    sizes.push_back(std::abs(error));
    total += std::abs(error);
    sum += error;
  }
  const auto count = static_cast<double>(sizes.size());
  return {count_text(static_cast<int>(sizes.size())), share_text(total / count),
          share_text(*median(sizes)), share_text(*quantile(sizes, 0.9)),
          signed_share_text(sum / count)};
}

std::string halves_table(const std::string& title, const std::vector<HalvesErrors>& rows) {
  Table table = Table::of_numbers(10);
  table.add_row(
      {"", "fitted", "MAPE", "median", "p90", "bias", "judging", "MAPE", "median", "p90", "bias"});
  for (const HalvesErrors& row : rows) {
    std::vector<std::string> cells{row.name};
    for (const FitErrors* half : {&row.fitted, &row.judging}) {
      for (const std::string& cell : half->cells()) cells.push_back(cell);
    }
    table.add_row(cells);
  }
  return title + "\n" + table.text();
}

std::string constants_table(const std::vector<ProfilePrior>& priors, const MapFit& fit) {
  Table table = Table::of_numbers(5);
  table.add_row({"", "prior", "spread", "fitted", "spread", "of prior's"});
  for (std::size_t i = 0; i < priors.size(); ++i) {
    const ProfilePrior& prior = priors[i];
    const FittedParameter& fitted = fit.parameters[i];
    table.add_row({prior.profile + " " + prior.constant, fmt::format("{:.4g}", prior.value),
                   share_text(prior.spread), fmt::format("{:.4g}", fitted.value),
                   share_text(fitted.spread), share_text(fitted.prior_kept)});
  }
  return "Constants, in base units\n" + table.text();
}

}  // namespace stepcast
