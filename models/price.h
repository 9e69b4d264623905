// What a cluster costs by the hour, and a training in money and energy. How fast it trains comes
// from elsewhere.
#pragma once

#include <string>

#include "base/units.h"
#include "topology/cluster_spec.h"

namespace stepcast {

class Fields;

/// A node's list price. Where it is from and when stands beside it in its file.
struct Price {
  std::string name;
  double usd_per_node_hour = 0;
};

/// `name` is not among the keys: it is the catalogue name, and whoever refers to the price fills
/// it.
void describe(Fields& f, Price& price);

double usd_per_hour(const Price& price, int nodes);

/// usd_per_hour / 3600 / tokens_per_s x 1e6. Requires tokens_per_s > 0.
double usd_per_million_tokens(double usd_per_hour, double tokens_per_s);

/// Time for all of `training_tokens` at an even pace: no restarts, no evaluation. Requires
/// tokens_per_s > 0.
Seconds training_time(double training_tokens, double tokens_per_s);
double training_usd(double usd_per_hour, Seconds time);

/// Power while training: each GPU in use at its board's limit, and the node's own power at load.
/// An upper estimate, without cooling, switches and storage. `gpus_per_node` are those in use.
/// Source for the limit: Touvron et al., LLaMA, 2023, table 15, counts 400 W for an A100 80GB.
Watts training_power(const NodeSpec& node, int gpus_per_node, int nodes);

/// Power x time in kilowatt-hours.
double energy_kwh(Watts power, Seconds time);

}  // namespace stepcast
