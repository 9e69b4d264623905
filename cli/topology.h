// The subcommands of `stepcast topology`, and how they are told the cluster.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "scenarios/network_setup.h"

namespace stepcast {

/// A cluster by a scenario's file, or by its parts.
struct ClusterOptions {
  std::string scenario;
  std::string node;
  std::string fabric;
  std::string nccl_version;
  int nodes = 1;
  ReadOptions read;
};

void add_cluster_options(CLI::App& command, ClusterOptions& options);

/// What collectives are predicted from, and what to call it. Throws InputError, also where there is
/// neither a scenario nor a node, or both.
struct NamedSetup {
  std::string name;
  NetworkSetup setup;
};
NamedSetup read_setup(const ClusterOptions& options);

/// "all_reduce" and so on. Throws InputError naming the option.
CollectiveKind collective_named(const std::string& word);

void add_topology_show(CLI::App& topology, Command& chosen);
void add_topology_import(CLI::App& topology, Command& chosen);
void add_topology_collectives(CLI::App& topology, Command& chosen);
void add_topology_explain(CLI::App& topology, Command& chosen);
void add_topology_compare_log(CLI::App& topology, Command& chosen);

}  // namespace stepcast
