#include "models/price.h"

#include "base/contract.h"
#include "base/fields.h"

namespace stepcast {

namespace {

constexpr Seconds kHour = 3600_s;

}  // namespace

void describe(Fields& f, Price& price) {
  f.field("usd_per_node_hour", price.usd_per_node_hour,
          {.presence = Presence::Required, .at_least = 0, .doc = "one node for one hour, USD"});
}

double usd_per_hour(const Price& price, int nodes) { return price.usd_per_node_hour * nodes; }

double usd_per_million_tokens(double usd_per_hour, double tokens_per_s) {
  return training_usd(usd_per_hour, training_time(1e6, tokens_per_s));
}

Seconds training_time(double training_tokens, double tokens_per_s) {
  STEPCAST_REQUIRES(tokens_per_s > 0);
  return Seconds(training_tokens / tokens_per_s);
}

double training_usd(double usd_per_hour, Seconds time) { return usd_per_hour * (time / kHour); }

Watts training_power(const NodeSpec& node, int gpus_per_node, int nodes) {
  return nodes * (gpus_per_node * node.gpu.power + node.power_besides_gpus);
}

double energy_kwh(Watts power, Seconds time) {
  constexpr Joules kKilowattHour = 1000_W * kHour;
  return power * time / kKilowattHour;
}

}  // namespace stepcast
