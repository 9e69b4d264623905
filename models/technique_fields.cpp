#include "models/technique_fields.h"

#include <array>
#include <string_view>
#include <vector>

namespace stepcast {
namespace {

constexpr std::array<std::string_view, 3> offload_words{"optimizer", "parameters", "activations"};

std::array<bool*, 3> switches_of(Offload& offload) {
  return {&offload.optimizer, &offload.parameters, &offload.activations};
}

}  // namespace

void describe_sharding_traffic(Fields& f, ShardingTraffic& sharding) {
  f.field("reduce_bucket", sharding.reduce_bucket,
          {.more_than = 0, .doc = "size of one gradient reduction; the framework's unless said"});
  f.field("gather_bucket", sharding.gather_bucket,
          {.more_than = 0, .doc = "size of one parameter gather; the framework's unless said"});
  f.field("prefetch_units", sharding.prefetch_units,
          {.at_least = 0,
           .at_most = 1000,
           .doc = "zero_stage 3: units gathered ahead of the one in use; 1 unless said"});
  f.field("gather_limit", sharding.gather_limit,
          {.at_least = 1,
           .at_most = 1000,
           .doc = "zero_stage 3: units gathered at one time; prefetch_units + 1 unless said"});
  f.field("reshard_after_forward", sharding.reshard_after_forward,
          {.doc = "zero_stage 3: parameters are let go after the forward pass and gathered again"});
}

void describe_offload(Fields& f, Offload& offload) {
  const std::array<bool*, 3> switches = switches_of(offload);
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < switches.size(); ++i) {
    if (*switches[i]) chosen.push_back(i);
  }
  f.word_list("offload", chosen, offload_words,
              {.doc = "what lives in the host's memory; a word or a list"});
  if (!f.reading()) return;
  for (bool* const chosen_switch : switches) *chosen_switch = false;
  for (const std::size_t i : chosen) *switches[i] = true;
}

}  // namespace stepcast
