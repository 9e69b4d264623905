#include "sim/implied_links.h"

#include <catch2/catch.hpp>

using namespace stepcast;

namespace {

// Devices of the hand-made clusters.
constexpr int kFirstSwitch = 100;

Link link(int from, int to, BytesPerSecond bandwidth) {
  Link made{"", LinkKind::Nic, bandwidth, from, to};
  made.starts_in_device = from < kFirstSwitch;
  made.ends_in_device = to < kFirstSwitch;
  return made;
}

CommunicatorFlows flow(std::initializer_list<LinkId> route) {
  CommunicatorFlows flows;
  for (const LinkId l : route) flows.links[index(TrafficKind::Ring)].push_back({l, 1});
  return flows;
}

std::vector<LinkId> left(const CommunicatorFlows& flows) {
  std::vector<LinkId> links;
  for (const WeightedLink& use : flows.links[index(TrafficKind::Ring)]) {
    links.push_back(use.link);
  }
  return links;
}

}  // namespace

TEST_CASE("of two equal links in a row one is kept", "[sim][folding]") {
  // GPU 0 > switch > switch > GPU 1, all of one bandwidth: each implies the next.
  const std::vector<Link> links{link(0, 100, 10_GB_per_s), link(100, 101, 10_GB_per_s),
                                link(101, 1, 10_GB_per_s)};
  std::vector<CommunicatorFlows> flows{flow({0, 1, 2})};
  drop_implied_links(flows, links, {});
  REQUIRE(left(flows[0]).size() == 1);
}

TEST_CASE("the tightest link of a route is kept", "[sim][folding]") {
  const std::vector<Link> links{link(0, 100, 30_GB_per_s), link(100, 101, 10_GB_per_s),
                                link(101, 1, 20_GB_per_s)};
  std::vector<CommunicatorFlows> flows{flow({0, 1, 2})};
  drop_implied_links(flows, links, {});
  REQUIRE(left(flows[0]) == std::vector<LinkId>{1});
}

TEST_CASE("a full-bandwidth uplink is implied by the links below it, an oversubscribed one is kept",
          "[sim][folding]") {
  // GPUs 0 and 1 > leaf 100 > spine 101 > GPUs 2 and 3.
  const BytesPerSecond uplink = GENERATE(20_GB_per_s, 19_GB_per_s);
  const std::vector<Link> links{link(0, 100, 10_GB_per_s), link(1, 100, 10_GB_per_s),
                                link(100, 101, uplink), link(101, 2, 10_GB_per_s),
                                link(101, 3, 10_GB_per_s)};
  std::vector<CommunicatorFlows> flows{flow({0, 2, 3}), flow({1, 2, 4})};
  drop_implied_links(flows, links, {});
  for (const CommunicatorFlows& f : flows) {
    const std::vector<LinkId> kept = left(f);
    const bool has_uplink = std::find(kept.begin(), kept.end(), 2) != kept.end();
    REQUIRE(has_uplink == (uplink < 20_GB_per_s));
    REQUIRE(kept.size() > (has_uplink ? 1u : 0u));  // what bounds the GPU itself stays too
  }
}

TEST_CASE("a link that ends in a GPU is not implied by where others go on from there",
          "[sim][folding]") {
  // Two messages, GPU 0 > switch > GPU 1 and GPU 1 > switch > GPU 2: GPU 1 passes nothing on.
  const std::vector<Link> links{link(0, 100, 10_GB_per_s), link(100, 1, 10_GB_per_s),
                                link(1, 101, 1_GB_per_s), link(101, 2, 10_GB_per_s)};
  std::vector<CommunicatorFlows> flows{flow({0, 1}), flow({2, 3})};
  drop_implied_links(flows, links, {});
  REQUIRE(left(flows[0]).size() == 1);
  REQUIRE(left(flows[1]) == std::vector<LinkId>{2});
}

TEST_CASE("a link that another job uses is kept: its messages go on elsewhere", "[sim][folding]") {
  const std::vector<Link> links{link(0, 100, 10_GB_per_s), link(100, 1, 10_GB_per_s)};
  std::vector<CommunicatorFlows> flows{flow({0, 1})};
  const std::vector<BackgroundFlow> background{{{0}, 5_GB_per_s}};
  drop_implied_links(flows, links, background);
  const std::vector<LinkId> kept = left(flows[0]);
  REQUIRE(std::find(kept.begin(), kept.end(), 0) != kept.end());
}

TEST_CASE("what ends in a switch that reduces implies nothing about the link to it",
          "[sim][folding]") {
  const std::vector<Link> links{link(0, 100, 10_GB_per_s), link(100, 1, 10_GB_per_s)};
  CommunicatorFlows reduced;
  reduced.links[index(TrafficKind::CollNet)] = {{0, 1}, {1, 1}};
  std::vector<CommunicatorFlows> flows{reduced};
  drop_implied_links(flows, links, {});
  REQUIRE(flows[0].links[index(TrafficKind::CollNet)].size() == 2);
}
