#include <catch2/catch.hpp>
#include <set>

#include "scenarios/scenario.h"

using namespace stepcast;

TEST_CASE("the what-if suite of networks reads, and its runs differ in the network",
          "[scenarios]") {
  const std::vector<Scenario> runs = read_scenarios("scenarios/network/65b_8_nodes.json", {});
  std::set<std::string> fabrics;
  bool sharp = false;
  bool threads = false;
  bool background = false;
  for (const Scenario& run : runs) {
    INFO(run.title);
    CHECK(run.cluster.nodes == 8);
    CHECK(run.model_name == "llama_65b");
    CHECK(run.price.has_value());
    fabrics.insert(run.fabric_name);
    sharp |= run.cluster.fabric.sharp;
    threads |= run.profile.network.nccl.socket_threads == 4;
    background |= !run.cluster.background.empty();
  }
  CHECK(fabrics.size() >= 10);
  CHECK(sharp);
  CHECK(threads);
  CHECK(background);
}
