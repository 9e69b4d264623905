#include "cli/compare_search.h"

#include <fmt/format.h>

#include <cstdio>
#include <deque>
#include <nlohmann/json.hpp>

#include "base/input_error.h"
#include "cli/report_file.h"
#include "reports/csv.h"
#include "reports/html.h"
#include "reports/json.h"
#include "reports/search_comparison.h"
#include "reports/step_drawing.h"

namespace stepcast {
namespace {

// A request for each cluster. One that cannot be read is told of and left out.
std::vector<SearchRequest> single_requests(const SearchRequest& request) {
  std::vector<SearchRequest> singles;
  for (const SearchVariant& variant : request.variants) {
    if (!variant.scenario) {
      std::fputs(fmt::format("stepcast: {}: {}\n", variant.name, variant.error).c_str(), stderr);
      continue;
    }
    singles.push_back(request);
    singles.back().variants = {variant};
  }
  return singles;
}

// Spaces refer to their requests and answers to their spaces: both stay where they are.
struct Searches {
  std::deque<SearchRequest> requests;
  std::deque<LayoutSpace> spaces;
  std::vector<SweepAnswer> answers;
};

Searches read_all(const ScenarioOptions& options) {
  Searches searches;
  for (const std::string& path : options.paths) {
    for (const std::string& file : scenario_files(path)) {
      for (SearchRequest& single : single_requests(read_search(file, options.read))) {
        searches.requests.push_back(std::move(single));
      }
    }
  }
  if (searches.requests.size() > 1) return searches;
  throw InputError({options.paths.front(), ""}, "one cluster is nothing to compare",
                   "name a second scenario, or clusters to choose from, as in "
                   "--set \"cluster.nodes=[4, 8]\"");
}

}  // namespace

Answer compare_best(const ScenarioOptions& options, const SearchOptions& search_options) {
  Searches searches = read_all(options);
  for (const SearchRequest& request : searches.requests) {
    const LayoutSpace& space = searches.spaces.emplace_back(request);
    searches.answers.push_back(search(space, options, search_options));
  }
  const std::vector<Prediction> best = best_of(searches.answers);
  if (options.report && best.size() > 1) {
    write_report_file(*options.report, comparison_html(best, drawings_of(best)));
  }
  switch (options.format) {
    case Format::Text:
      return report(search_comparison_text(searches.answers));
    case Format::Json:
      return {json_text(search_comparison_json(searches.answers))};
    case Format::Csv:
      return {results_csv(best)};
  }
  return {};
}

}  // namespace stepcast
