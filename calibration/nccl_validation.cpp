#include "calibration/nccl_validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/input_error.h"
#include "base/statistics.h"
#include "calibration/readers/nccl_tests.h"
#include "scenarios/catalogue.h"
#include "scenarios/network_setup.h"
#include "sim/collective_run.h"

namespace stepcast {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::vector<double> error_sizes(const std::vector<NcclRowError>& rows, Bytes from) {
  std::vector<double> sizes;
  for (const NcclRowError& row : rows) {
    if (row.size >= from) sizes.push_back(std::abs(row.error()));
  }
  return sizes;
}

NcclErrorFigures figures_of(const std::vector<double>& all, const std::vector<double>& large) {
  return {median(all), quantile(all, 0.9), median(large), quantile(large, 0.9)};
}

// A log, and whether the user named it or the folder that it is in.
struct LogPath {
  fs::path path;
  bool named = true;
};

std::vector<LogPath> log_paths(std::span<const std::string> paths) {
  std::vector<LogPath> logs;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      logs.push_back({path, true});
      continue;
    }
    const std::size_t before = logs.size();
    for (const auto& entry : fs::directory_iterator(path)) {
      const fs::path ending = entry.path().extension();
      if (ending == ".txt" || ending == ".log") logs.push_back({entry.path(), false});
    }
    if (logs.size() == before) throw InputError({path, ""}, "the folder holds no *.txt or *.log");
    std::sort(logs.begin() + static_cast<std::ptrdiff_t>(before), logs.end(),
              [](const LogPath& a, const LogPath& b) { return a.path < b.path; });
  }
  return logs;
}

// The clusters.json of each folder, read once.
class ClusterLists {
 public:
  struct Entry {
    json object;
    InputPlace place;
  };

  std::optional<Entry> find(const fs::path& log) {
    const std::string file = (log.parent_path() / "clusters.json").string();
    const json& list = read(file, log);
    const std::string name = log.stem().string();
    if (!list.contains(name)) return std::nullopt;
    return Entry{list[name], child_of({file, ""}, name)};
  }

 private:
  const json& read(const std::string& file, const fs::path& log) {
    const auto known = lists_.find(file);
    if (known != lists_.end()) return known->second;
    if (!fs::exists(file)) {
      throw InputError(
          {file, ""}, "there is no such file: nothing says what the logs ran on",
          fmt::format("expected an object such as {{ \"{}\": {{ \"node\": "
                      "\"dgx_a100_80gb\", \"nodes\": 2, \"fabric\": \"hdr_rail\" }} }}",
                      log.stem().string()));
    }
    json list = read_json_file(file);
    if (!list.is_object())
      throw InputError({file, ""}, "expected an object with a key for each log");
    return lists_.emplace(file, std::move(list)).first->second;
  }

  std::map<std::string, json> lists_;
};

class Judge {
 public:
  explicit Judge(std::string profile_file)
      : catalogue_(catalogue_folder()), profile_file_(std::move(profile_file)) {}

  NcclLogErrors judge(const fs::path& path, ClusterLists::Entry entry) {
    const NcclTestsLog log = read_nccl_tests(path.string());
    const std::string collective = take_collective(entry);
    const NetworkSetup setup =
        read_network_setup(entry.object, entry.place, catalogue_, profile_file_);
    const Cluster cluster(setup.cluster);
    NcclLogErrors errors{path.stem().string(), setup.cluster.node.gpu.architecture, {}};
    for (const NcclTestsTable& table : log.tables) {
      const CollectiveKind kind = kind_of(collective.empty() ? table.collective : collective, log);
      check_ranks(table, cluster, log);
      for (const NcclTestsRow& row : table.rows) {
        if (row.size <= 0_B || row.out_of_place <= 0_s) continue;
        errors.rows.push_back(
            {row.size, row.out_of_place, predicted_time(kind, row.size, cluster, setup)});
      }
    }
    return errors;
  }

 private:
  static std::string take_collective(ClusterLists::Entry& entry) {
    if (!entry.object.is_object() || !entry.object.contains("collective")) return {};
    const json written = std::exchange(entry.object["collective"], nullptr);
    entry.object.erase("collective");
    if (written.is_string() && modelled_kind(written.get<std::string>())) return written;
    throw InputError(
        child_of(entry.place, "collective"),
        fmt::format("{} is no collective that is modelled", written.dump()),
        "one of all_reduce, all_gather, reduce_scatter, broadcast, reduce, all_to_all, "
        "send_receive");
  }

  static CollectiveKind kind_of(const std::string& collective, const NcclTestsLog& log) {
    if (const std::optional<CollectiveKind> kind = modelled_kind(collective)) return *kind;
    if (collective.empty()) {
      throw InputError({log.file, ""}, "the log does not say which collective ran",
                       "\"collective\" in clusters.json may say it");
    }
    throw InputError({log.file, ""}, fmt::format("{} is not modelled", collective));
  }

  static void check_ranks(const NcclTestsTable& table, const Cluster& cluster,
                          const NcclTestsLog& log) {
    if (!table.ranks || *table.ranks == cluster.num_gpus()) return;
    throw InputError({log.file, ""},
                     fmt::format("the log lists {} ranks, its cluster has {} GPUs", *table.ranks,
                                 cluster.num_gpus()),
                     "clusters.json says nodes, node and gpus_per_node");
  }

  // Logs repeat sizes, and several logs ran on the same cluster.
  static Seconds predicted_time(CollectiveKind kind, Bytes message, const Cluster& cluster,
                                const NetworkSetup& setup) {
    const Seconds time = collective_time(kind, message, cluster, setup.network, EngineChoice::Auto);
    if (setup.processes == ProcessLayout::OnePerGpu) return time;
    return std::max(time, cluster.gpus_per_node() * setup.network.shared_launch.value);
  }

  Catalogue catalogue_;
  std::string profile_file_;
};

}  // namespace

NcclErrorFigures NcclLogErrors::figures() const {
  return figures_of(error_sizes(rows, Bytes()), error_sizes(rows, 1_MiB));
}

NcclErrorFigures figures_over_logs(std::span<const NcclLogErrors> logs) {
  std::vector<double> all;
  std::vector<double> large;
  for (const NcclLogErrors& log : logs) {
    const NcclErrorFigures figures = log.figures();
    if (figures.median_error) all.push_back(*figures.median_error);
    if (figures.median_error_1mib) large.push_back(*figures.median_error_1mib);
  }
  return figures_of(all, large);
}

NcclValidation validate_nccl(std::span<const std::string> paths, const std::string& profile_file) {
  NcclValidation validation;
  ClusterLists clusters;
  Judge judge(profile_file);
  for (const LogPath& log : log_paths(paths)) {
    const std::string name = log.path.stem().string();
    if (log.named) read_nccl_tests(log.path.string());  // what is named is told wrong at once
    std::optional<ClusterLists::Entry> entry = clusters.find(log.path);
    if (!entry) {
      validation.skipped.push_back(name);
      continue;
    }
    try {
      validation.logs.push_back(judge.judge(log.path, std::move(*entry)));
    } catch (const InputError& error) {
      if (log.named) throw;
      validation.faults.push_back({name, error.what()});
    }
  }
  if (!validation.logs.empty()) return validation;
  if (!validation.faults.empty()) {
    throw InputError({paths.front(), ""},
                     "no log could be judged; the first: " + validation.faults.front().message);
  }
  throw InputError({paths.front(), ""}, "clusters.json names none of the logs");
}

}  // namespace stepcast
