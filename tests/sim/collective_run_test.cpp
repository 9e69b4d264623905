#include "sim/collective_run.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <vector>

#include "tests/support/small_steps.h"
#include "topology/group_layout.h"

namespace stepcast {

using Catch::Matchers::WithinRel;

namespace {

std::vector<GpuId> all_gpus(const Cluster& cluster) {
  std::vector<GpuId> gpus(static_cast<std::size_t>(cluster.num_gpus()));
  std::iota(gpus.begin(), gpus.end(), 0);
  return gpus;
}

}  // namespace

TEST_CASE("a collective alone takes its closed form on both engines", "[sim]") {
  const auto [nodes, nics] = GENERATE(table<int, int>({{1, 8}, {2, 8}, {4, 2}}));
  const CollectiveKind kind = GENERATE(CollectiveKind::AllReduce, CollectiveKind::AllGather,
                                       CollectiveKind::AllToAll, CollectiveKind::Broadcast);
  const Cluster cluster(test::small_cluster(nodes, 8, nics));
  const NetworkProfile network = test::plain_profile().network;
  const GroupLayout layout = layout_group(cluster, all_gpus(cluster));
  for (const Bytes message : {1_KiB, 1_MiB, 1_GiB}) {
    const Seconds closed_form = alone_time(plan_transfer(kind, message, layout, network), layout);
    const Seconds analytic =
        collective_time(kind, message, cluster, network, EngineChoice::Analytic);
    const Seconds event = collective_time(kind, message, cluster, network, EngineChoice::Event);
    CHECK_THAT(analytic.value(), WithinRel(closed_form.value(), 1e-9));
    CHECK_THAT(event.value(), WithinRel(closed_form.value(), 1e-9));
  }
}

TEST_CASE("a send-receive takes one message's time where no two messages share a link", "[sim]") {
  // 2 nodes of 2 GPUs and one NIC: 1 -> 2 and 3 -> 0 cross the network in opposite directions.
  const NetworkProfile network = test::plain_profile().network;
  const Cluster cluster(test::small_cluster(2, 2, 1));
  const Seconds time =
      collective_time(CollectiveKind::SendReceive, 1_GB, cluster, network, EngineChoice::Event);
  const GroupLayout pair = layout_pair(cluster, 1, 2);
  const Seconds alone =
      alone_time(plan_transfer(CollectiveKind::SendReceive, 1_GB, pair, network), pair);
  CHECK_THAT(time.value(), WithinRel(alone.value(), 1e-9));
}

TEST_CASE("one GPU alone has nobody to talk to", "[sim]") {
  const Cluster cluster(test::small_cluster(1, 1, 1));
  CHECK(collective_time(CollectiveKind::AllReduce, 1_GB, cluster, test::plain_profile().network,
                        EngineChoice::Event) == 0_s);
}

}  // namespace stepcast
