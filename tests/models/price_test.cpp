#include "models/price.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "base/fields.h"

namespace stepcast {

using Catch::Matchers::WithinRel;

namespace {

/// A price has no parts.
class NoParts : public PartResolver {
 public:
  Part resolve(std::string_view kind, const std::string& name, const InputPlace& from) override {
    throw InputError(from, "no " + std::string(kind) + " named " + name);
  }
};

Price read_price(const std::string& text) {
  Price price;
  NoParts resolver;
  const auto keys = [&](Fields& f) { describe(f, price); };
  read_fields(parse_json(text, "price.json"), {"price.json", ""}, resolver, keys);
  return price;
}

NodeSpec eight_gpus_of_400_w() {
  NodeSpec node;
  node.gpu.power = 400_W;
  node.power_besides_gpus = 3300_W;
  return node;
}

}  // namespace

TEST_CASE("eight p4d nodes: dollars per hour, per million tokens and per training", "[models]") {
  const Price price{"aws_p4d_24xlarge", 32.77};
  CHECK_THAT(usd_per_hour(price, 8), WithinRel(262.16, 1e-12));
  // 262.16 USD/h at 6,200 tokens/s: 262.16 / (6200 * 3600) * 1e6
  CHECK_THAT(usd_per_million_tokens(262.16, 6200), WithinRel(11.7455197, 1e-8));
  // 1.4e12 tokens at 6,200 tokens/s: 2.2581e8 s = 62,724 h, 16.44 million USD
  const Seconds time = training_time(1.4e12, 6200);
  CHECK_THAT(time / 3600_s, WithinRel(62724.0143, 1e-8));
  CHECK_THAT(training_usd(262.16, time), WithinRel(62724.0143 * 262.16, 1e-8));
}

TEST_CASE("a node of eight 400 W GPUs and 3,300 W besides takes 6.5 kW", "[models]") {
  const NodeSpec node = eight_gpus_of_400_w();
  CHECK(training_power(node, 8, 1) == 6500_W);
  CHECK(training_power(node, 8, 4) == 26000_W);
  CHECK(training_power(node, 2, 1) == 4100_W);
  CHECK_THAT(energy_kwh(6500_W, 7200_s), WithinRel(13.0, 1e-12));
}

TEST_CASE("a price is read from its file, and must be there", "[models]") {
  CHECK(read_price(R"({ "usd_per_node_hour": 32.77, "source": "a list" })").usd_per_node_hour ==
        32.77);
  CHECK_THROWS_AS(read_price(R"({ "source": "a list" })"), InputError);
  CHECK_THROWS_AS(read_price(R"({ "usd_per_node_hour": -1 })"), InputError);
  CHECK_THROWS_AS(read_price(R"({ "usd_per_node_hour": "32.77 USD" })"), InputError);
}

}  // namespace stepcast
