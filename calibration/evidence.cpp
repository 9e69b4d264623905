#include "calibration/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>

#include "base/text_lines.h"
#include "base/unit_text.h"
#include "calibration/measured_kernels.h"
#include "models/collectives.h"
#include "models/profile_constants.h"
#include "sim/claims.h"
#include "sim/predict.h"
#include "sim/search/step_clock.h"
#include "sim/step_interval.h"
#include "topology/group_layout.h"

namespace stepcast {
namespace {

GroupLayout layout_of_all(const ClusterSpec& spec, int ranks) {
  const Cluster cluster(spec);
  std::vector<GpuId> gpus(static_cast<std::size_t>(ranks));
  std::iota(gpus.begin(), gpus.end(), 0);
  return layout_group(cluster, gpus);
}

int ranks_of(const NcclTestsLog& log, const NcclTestsTable& table, const Scenario& scenario) {
  if (table.ranks) return *table.ranks;
  for (const auto& [key, value] : log.headers) {
    const auto ranks = key == "gpus" ? whole_number(value) : std::nullopt;
    if (ranks && *ranks > 0) return static_cast<int>(*ranks);
  }
  const ClusterSpec& cluster = scenario.cluster;
  const int per_node = cluster.gpus_per_node > 0 ? cluster.gpus_per_node : cluster.node.gpus;
  return per_node * cluster.nodes;
}

class CollectiveRows {
 public:
  CollectiveRows(CollectiveKind kind, std::shared_ptr<const GroupLayout> layout,
                 const std::string& file, const NetworkProfile& network)
      : kind_(kind), layout_(std::move(layout)), file_(file), network_(network) {}

  void add(const NcclTestsRow& row, std::vector<Evidence>& all) const {
    if (row.size.value() <= 0) return;
    if (row.out_of_place.value() > 0) all.push_back(evidence(row, row.out_of_place, false));
    if (row.in_place && row.in_place->value() > 0)
      all.push_back(evidence(row, *row.in_place, true));
  }

 private:
  Evidence evidence(const NcclTestsRow& row, Seconds time, bool in_place) const {
    Evidence evidence;
    evidence.kind = EvidenceKind::Collective;
    evidence.name =
        fmt::format("{} of {} over {} ranks", word(kind_), to_text(row.size), layout_->ranks);
    evidence.file = file_;
    evidence.line = row.line;
    evidence.measured = time.value();
    evidence.noise = kCollectiveNoise;
    evidence.predict = [kind = kind_, layout = layout_, size = row.size](const Profile& profile) {
      return collective_candidates(kind, size, *layout, profile.network).front().time.value();
    };
    evidence.collective = CollectivePoint{kind_,
                                          row.size,
                                          layout_->ranks,
                                          layout_->nodes,
                                          least_time_on_links(kind_, row.size, *layout_, network_),
                                          in_place};
    return evidence;
  }

  CollectiveKind kind_;
  std::shared_ptr<const GroupLayout> layout_;
  const std::string& file_;
  const NetworkProfile& network_;
};

// All that a peak depends on.
std::vector<double> memory_constants(const Profile& profile) {
  Profile copy = profile;
  std::vector<double> values;
  for (const ConstantRef& constant : constants_of(copy)) {
    if (constant.path().starts_with("framework/memory/")) values.push_back(constant.value());
  }
  return values;
}

}  // namespace

std::string_view word(EvidenceKind kind) {
  switch (kind) {
    case EvidenceKind::Collective:
      return "collective";
    case EvidenceKind::StepTime:
      return "step_time";
    case EvidenceKind::PeakMemory:
      return "peak_memory";
    case EvidenceKind::Kernel:
      break;
  }
  return "kernel";
}

ClusterSpec cluster_of_ranks(const ClusterSpec& cluster, int ranks, const InputPlace& place) {
  ClusterSpec spec = cluster;
  spec.faults.clear();
  const int per_node = cluster.gpus_per_node > 0 ? cluster.gpus_per_node : cluster.node.gpus;
  if (ranks <= per_node) {
    spec.nodes = 1;
    return spec;
  }
  spec.nodes = ranks / per_node;
  if (spec.nodes * per_node != ranks) {
    throw InputError(
        place,
        fmt::format("{} ranks fill no whole number of the scenario's nodes, which have "
                    "{} GPUs",
                    ranks, per_node),
        "--scenario must describe the cluster that the log was taken on");
  }
  if (spec.fabric.nic_bandwidth.value() <= 0) {
    throw InputError(place,
                     fmt::format("{} ranks need {} nodes, the scenario has one and no fabric",
                                 ranks, spec.nodes),
                     "name the fabric in the scenario's cluster");
  }
  return spec;
}

std::vector<Evidence> collective_evidence(const NcclTestsLog& log, const Scenario& scenario) {
  std::vector<Evidence> all;
  for (const NcclTestsTable& table : log.tables) {
    const auto kind = modelled_kind(table.collective.empty() ? "all_reduce" : table.collective);
    if (!kind) continue;
    const int ranks = ranks_of(log, table, scenario);
    const InputPlace place{log.file, fmt::format("line {}", table.rows.front().line)};
    if (ranks < 2) throw InputError(place, "a collective of one rank says nothing of a network");
    const ClusterSpec spec = cluster_of_ranks(scenario.cluster, ranks, place);
    const CollectiveRows rows(*kind, std::make_shared<GroupLayout>(layout_of_all(spec, ranks)),
                              log.file, scenario.profile.network);
    for (const NcclTestsRow& row : table.rows) rows.add(row, all);
  }
  if (all.empty()) {
    throw InputError({log.file, ""}, "no row of this log is of a collective that is modelled",
                     "all-reduce, all-gather, reduce-scatter, broadcast, reduce, all-to-all and "
                     "send-receive are");
  }
  return all;
}

Evidence step_evidence(const Scenario& scenario, Seconds measured, double of_mean) {
  Evidence evidence;
  evidence.kind = EvidenceKind::StepTime;
  evidence.name = scenario.title;
  evidence.file = scenario.file;
  evidence.measured = measured.value();
  evidence.noise = std::hypot(run_noise(scenario.profile, scenario.cluster.nodes), of_mean);
  evidence.predict = [clock = std::make_shared<StepClock>(scenario)](const Profile& profile) {
    return clock->step_time(profile).value();
  };
  return evidence;
}

Evidence memory_evidence(const Scenario& scenario, MemoryKind kind, MemoryPlace place,
                         Bytes measured) {
  Evidence evidence;
  evidence.kind = EvidenceKind::PeakMemory;
  evidence.name = "peak memory of " + scenario.title;
  evidence.file = scenario.file;
  evidence.measured = measured.value();
  evidence.noise = kMemoryNoise;
  // Dear, and asked again and again while other constants move.
  auto known = std::make_shared<std::map<std::vector<double>, double>>();
  evidence.predict = [scenario, kind, place, known](const Profile& profile) {
    const std::vector<double> constants = memory_constants(profile);
    const auto found = known->find(constants);
    if (found != known->end()) return found->second;
    Scenario with = scenario;
    with.profile = profile;
    const StepReport report = predict(with, {.engine = EngineChoice::Analytic});
    return (*known)[constants] = peak_of_kind(report.memory, kind, place).value();
  };
  return evidence;
}

std::vector<Evidence> kernel_evidence(const std::vector<MeasuredKernel>& kernels,
                                      const std::string& file, const Scenario& scenario) {
  const GpuSpec& gpu = scenario.cluster.node.gpu;
  std::vector<Evidence> all;
  for (const MeasuredKernel& kernel : kernels) {
    Evidence evidence;
    evidence.kind = EvidenceKind::Kernel;
    evidence.file = file;
    evidence.line = kernel.line;
    evidence.measured = kernel.time.value();
    evidence.noise = kKernelNoise;
    evidence.name = kernel_name(kernel);
    evidence.predict = [kernel, gpu](const Profile& profile) {
      Device device{gpu, profile.gpu};
      device.profile.sustained_clock.value = 1;
      return kernel_time(kernel, device).value();
    };
    all.push_back(std::move(evidence));
  }
  return all;
}

}  // namespace stepcast
