#include "scenarios/plan_check.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "models/nccl_tables.h"

namespace stepcast {

namespace {

int gpus_per_node(const ClusterSpec& cluster) {
  return cluster.gpus_per_node == 0 ? cluster.node.gpus : cluster.gpus_per_node;
}

/// "128 nodes of dgx_a100_80gb = 128 x 8 GPUs"
std::string cluster_text(const ClusterSpec& cluster) {
  const std::string nodes = fmt::format("{} node{}", cluster.nodes, cluster.nodes == 1 ? "" : "s");
  const std::string of = cluster.node.name.empty() ? "" : " of " + cluster.node.name;
  return fmt::format("{}{} = {} x {} GPUs", nodes, of, cluster.nodes, gpus_per_node(cluster));
}

std::string gpu_text(const GpuSpec& gpu) { return gpu.name.empty() ? "this GPU" : gpu.name; }

std::optional<Violation> precision_violation(const TrainingJob& job, const GpuSpec& gpu) {
  const auto refused = [&](const char* what, const char* instead) {
    return Violation{"/precision",
                     fmt::format("{} has no {}", gpu_text(gpu), what),
                     fmt::format("precision {} runs on it", instead),
                     {}};
  };
  const bool volta = gpu.architecture == GpuArchitecture::Volta;
  if (job.precision == Precision::Fp8 && gpu.fp8 <= gpu.fp16) return refused("fp8", "bf16");
  if (job.precision == Precision::Bf16 && volta) return refused("bf16", "fp16");
  if (job.precision == Precision::Tf32 && gpu.tf32 <= gpu.fp32) return refused("tf32", "fp32");
  return std::nullopt;
}

std::optional<Violation> attention_violation(const TrainingJob& job, const GpuSpec& gpu) {
  const auto refused = [&](const char* needs, const char* instead) {
    return Violation{
        "/attention",
        fmt::format("{} needs {}, {} is none", word(job.attention), needs, gpu_text(gpu)),
        fmt::format("attention {} runs on it", instead),
        {}};
  };
  if (job.attention == AttentionKernel::Unfused) return std::nullopt;
  if (gpu.architecture == GpuArchitecture::Volta) {
    return refused("an Ampere GPU or a later one", "unfused");
  }
  if (job.attention == AttentionKernel::Flash3 && gpu.architecture != GpuArchitecture::Hopper) {
    return refused("a Hopper GPU", "flash2");
  }
  return std::nullopt;
}

std::optional<Violation> sparsity_violation(const TrainingJob& job, const GpuSpec& gpu) {
  const bool on_tensor_cores = job.sparsity && job.sparsity->pattern == SparsityPattern::TwoOfFour;
  if (!on_tensor_cores || gpu.architecture != GpuArchitecture::Volta) return std::nullopt;
  return Violation{"/sparsity/pattern",
                   fmt::format("2:4 needs an Ampere GPU or a later one, {} is none", gpu_text(gpu)),
                   "pattern unstructured runs on it, without a gain",
                   {}};
}

Violation refused_choice(const char* key, std::string problem, std::string hint) {
  return {std::string("/nccl/") + key, std::move(problem), std::move(hint), {}};
}

bool needs_switches(Algorithm algorithm) {
  return algorithm == Algorithm::Nvls || algorithm == Algorithm::NvlsTree;
}

std::optional<Violation> nvls_violation(const Scenario& scenario, Algorithm algorithm) {
  const NodeSpec& node = scenario.cluster.node;
  const bool before_hopper = node.gpu.architecture == GpuArchitecture::Volta ||
                             node.gpu.architecture == GpuArchitecture::Ampere;
  if (before_hopper || node.interconnect != GpuInterconnect::NvSwitch) {
    return refused_choice("algorithm",
                          fmt::format("{} needs NVSwitches that reduce, {} has none",
                                      word(algorithm), gpu_text(node.gpu)),
                          "ring and tree run on it");
  }
  const NetworkProfile& network = scenario.profile.network;
  const std::string& version =
      network.nccl.version.empty() ? network.nccl_version : network.nccl.version;
  if (!nccl_release(version, node.gpu.architecture).has_nvls) {
    return refused_choice("algorithm", fmt::format("NCCL {} has no {}", version, word(algorithm)),
                          "it came with 2.17; \"version\": \"2.18\" has it");
  }
  if (algorithm == Algorithm::NvlsTree && scenario.cluster.nodes == 1) {
    return refused_choice("algorithm", "nvls_tree joins several nodes, the cluster has one",
                          "nvls runs inside a node");
  }
  if (algorithm == Algorithm::Nvls && scenario.cluster.nodes > 1 &&
      !scenario.cluster.fabric.sharp) {
    return refused_choice("algorithm", "nvls over several nodes needs a network that reduces",
                          "nvls_tree does without, and a fabric with \"sharp\": true reduces");
  }
  return std::nullopt;
}

std::optional<Violation> protocol_violation(const Scenario& scenario, const NcclChoice& choice) {
  if (!choice.protocol) return std::nullopt;
  const bool reduces = choice.algorithm && *choice.algorithm != Algorithm::Ring &&
                       *choice.algorithm != Algorithm::Tree;
  if (reduces && *choice.protocol != Protocol::Simple) {
    return refused_choice(
        "protocol", fmt::format("{} has no {}", word(*choice.algorithm), word(*choice.protocol)),
        "it runs simple");
  }
  const bool pcie = scenario.cluster.node.interconnect == GpuInterconnect::Pcie;
  if (*choice.protocol == Protocol::LL128 && pcie && gpus_per_node(scenario.cluster) > 1) {
    return refused_choice("protocol", "ll128 needs NVLink between the GPUs of a node",
                          "ll and simple run over PCIe");
  }
  const NetworkProfile& network = scenario.profile.network;
  if (*choice.protocol == Protocol::LL128 && scenario.cluster.nodes > 1 && !network.ll128) {
    return refused_choice("protocol",
                          fmt::format("ll128 needs a network that keeps the order of its stores, "
                                      "{} does not",
                                      network.name),
                          "ll and simple run over it");
  }
  return std::nullopt;
}

/// What was forced on NCCL and cannot be.
std::optional<Violation> nccl_violation(const Scenario& scenario) {
  if (!scenario.nccl) return std::nullopt;
  const NcclChoice& choice = *scenario.nccl;
  if (choice.algorithm && needs_switches(*choice.algorithm)) {
    if (auto violation = nvls_violation(scenario, *choice.algorithm)) return violation;
  }
  if (choice.algorithm == Algorithm::CollNetDirect &&
      (scenario.cluster.nodes == 1 || !scenario.cluster.fabric.sharp)) {
    return refused_choice("algorithm", "collnet_direct needs a network that reduces",
                          "a fabric with \"sharp\": true, such as ndr_rail_sharp");
  }
  const bool sockets =
      scenario.cluster.nodes > 1 && scenario.cluster.fabric.transport == Transport::Tcp;
  if (choice.socket_threads && !sockets) {
    return refused_choice("socket_threads", "no sockets: the nodes do not talk over TCP",
                          "a fabric with \"transport\": \"tcp\" uses them");
  }
  return protocol_violation(scenario, choice);
}

}  // namespace

int num_gpus(const ClusterSpec& cluster) { return cluster.nodes * gpus_per_node(cluster); }

std::optional<Violation> kernel_violation(const Scenario& scenario) {
  const GpuSpec& gpu = scenario.cluster.node.gpu;
  const std::optional<Violation> precision = precision_violation(scenario.job, gpu);
  if (precision) return precision;
  const std::optional<Violation> attention = attention_violation(scenario.job, gpu);
  return attention ? attention : sparsity_violation(scenario.job, gpu);
}

std::optional<Violation> first_violation(const Scenario& scenario) {
  const std::vector<Violation> found = violations(scenario.job, num_gpus(scenario.cluster));
  if (found.empty()) {
    const std::optional<Violation> kernel = kernel_violation(scenario);
    return kernel ? kernel : nccl_violation(scenario);
  }
  Violation first = found.front();
  if (first.key == "/plan" && !first.details.empty()) {
    first.details.back() += "; " + cluster_text(scenario.cluster);
  }
  return first;
}

}  // namespace stepcast
