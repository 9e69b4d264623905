// Every valid layout of a search: the combinations of its dimensions' values on each cluster that
// the plan's violations allow.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "scenarios/search_request.h"

namespace stepcast {

class LayoutSpace {
 public:
  /// Dimensions take their values in turn, the first slowest. Keys that are not searched stay as
  /// the scenario has them; a dimension that changes nothing (chunks of a single stage) stays at
  /// its default. Clusters above the goal's max_nodes have no layouts.
  explicit LayoutSpace(const SearchRequest& request);

  std::size_t size() const { return choices_.size() / width(); }
  int num_variants() const { return static_cast<int>(request_.variants.size()); }
  /// Number of a layout's cluster. Layouts of a cluster lie together.
  int variant_of(std::size_t layout) const { return choices_[layout * width()]; }
  /// The scenario of a cluster, its plan as written. Requires one that could be read.
  const Scenario& base(int variant) const;
  const SearchRequest& request() const { return request_; }

  /// Complete and without violations.
  TrainingJob job(std::size_t layout) const;
  Batch batch(std::size_t layout) const;
  Scenario scenario(std::size_t layout) const;
  /// What was chosen, as a JSON object: {"tensor_parallel":4,"zero_stage":1}.
  std::string choices_text(std::size_t layout) const;
  /// The same for people: "tensor_parallel 4, zero_stage 1".
  std::string title(std::size_t layout) const;

 private:
  class Enumerator;
  std::size_t width() const { return 1 + request_.keys.dimensions.size(); }
  nlohmann::ordered_json choices(std::size_t layout) const;
  void choose(TrainingJob& job, std::size_t layout, std::size_t dimension) const;

  const SearchRequest& request_;
  std::vector<std::vector<nlohmann::json>> values_;  // [dimension]: every value that occurs
  std::vector<TrainingJob> fresh_;                   // [variant]: searched keys at their defaults
  std::vector<std::uint16_t> choices_;  // [layout]: variant, then each dimension's value; or unset
};

}  // namespace stepcast
