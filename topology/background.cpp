// Another job's traffic by GPUs or rails: which links it is on, and how fast it may go.
#include <fmt/format.h>

#include "base/input_error.h"
#include "topology/cluster_graph.h"

namespace stepcast {

namespace {

void check_gpu(const InputPlace& place, const char* key, int gpu, const Cluster& cluster) {
  if (gpu < cluster.num_gpus()) return;
  throw InputError(child_of(place, key), fmt::format("the cluster has no GPU {}", gpu),
                   fmt::format("GPUs are numbered from 0 to {}", cluster.num_gpus() - 1));
}

BytesPerSecond rate_of(const BackgroundTraffic& traffic, const ClusterSpec& spec) {
  if (traffic.share == 0) return traffic.rate;
  return spec.fabric.nic_bandwidth * spec.fabric.nic_efficiency * traffic.share;
}

/// Both directions of a NIC's cable on every node, each a flow of its own.
void add_rail(const InputPlace& place, int rail, BytesPerSecond rate, const Cluster& cluster,
              std::vector<BackgroundFlow>& flows) {
  const int nics = cluster.num_nodes() > 1 ? cluster.spec().fabric.nics_per_node : 0;
  if (rail < 0 || rail >= nics) {
    throw InputError(child_of(place, "rails"), fmt::format("no node has a NIC {}", rail),
                     nics > 0 ? fmt::format("NICs are numbered from 0 to {}", nics - 1)
                              : "one node alone uses no NIC");
  }
  for (int node = 0; node < cluster.num_nodes(); ++node) {
    const GpuId gpu = node * cluster.gpus_per_node();
    flows.push_back({{cluster.nic_exit(gpu, rail).back()}, rate});
    flows.push_back({{cluster.nic_entry(gpu, rail).front()}, rate});
  }
}

}  // namespace

std::vector<BackgroundFlow> background_flows(const Cluster& cluster) {
  const InputPlace list{.file = {}, .pointer = "/background"};
  std::vector<BackgroundFlow> flows;
  for (std::size_t i = 0; i < cluster.spec().background.size(); ++i) {
    const BackgroundTraffic& traffic = cluster.spec().background[i];
    const InputPlace place = child_of(list, i);
    const BytesPerSecond rate = rate_of(traffic, cluster.spec());
    if (traffic.from >= 0) {
      check_gpu(place, "from", traffic.from, cluster);
      check_gpu(place, "to", traffic.to, cluster);
      flows.push_back({cluster.route(traffic.from, traffic.to), rate});
    }
    for (const int rail : traffic.rails) add_rail(place, rail, rate, cluster, flows);
  }
  return flows;
}

}  // namespace stepcast
