#include "reports/topology_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/unit_text.h"
#include "reports/numbers.h"
#include "reports/table.h"

namespace stepcast {
namespace {

using Json = nlohmann::ordered_json;

Json device_json(const MapDevice& device) {
  Json json{{"name", device.name},
            {"kind", device.kind ? word(*device.kind) : "node"},
            {"alike", device.alike}};
  if (device.rate != 1) json["rate"] = device.rate;
  return json;
}

std::string words(LinkKind kind) {
  std::string text(word(kind));
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::map<DeviceKind, int> device_counts(const Cluster& cluster) {
  std::map<DeviceKind, int> counts;
  for (const ClusterDevice& device : cluster.devices()) ++counts[device.kind];
  return counts;
}

}  // namespace

std::vector<EqualLinks> equal_links(const Cluster& cluster) {
  std::map<std::tuple<LinkKind, double>, EqualLinks> classes;  // by falling bandwidth
  for (const Link& link : cluster.links()) {
    EqualLinks& found = classes
                            .try_emplace({link.kind, -link.bandwidth.value()},
                                         EqualLinks{link.kind, link.bandwidth, 0, link.name})
                            .first->second;
    ++found.links;
  }
  std::vector<EqualLinks> sorted;
  for (auto& [unused, one] : classes) sorted.push_back(std::move(one));
  return sorted;
}

Json map_json(const ClusterMap& map, const Cluster& cluster) {
  Json json{{"devices", Json::array()}, {"links", Json::array()}};
  for (const MapDevice& device : map.devices) json["devices"].push_back(device_json(device));
  for (const MapLink& link : map.links) {
    const auto first = static_cast<std::size_t>(link.links.front());
    json["links"].push_back({{"from", link.from},
                             {"to", link.to},
                             {"kind", word(link.kind)},
                             {"bandwidth_bytes_per_s", link.bandwidth.value()},
                             {"links", link.links.size()},
                             {"name", cluster.links()[first].name}});
  }
  return json;
}

Json topology_json(const std::string& title, const Cluster& cluster) {
  Json json{{"schema", 1},
            {"title", title},
            {"nodes", cluster.num_nodes()},
            {"gpus", cluster.num_gpus()},
            {"devices", Json::object()},
            {"link_classes", Json::array()}};
  for (const auto& [kind, count] : device_counts(cluster)) {
    json["devices"][std::string(word(kind))] = count;
  }
  for (const EqualLinks& one : equal_links(cluster)) {
    json["link_classes"].push_back({{"kind", word(one.kind)},
                                    {"bandwidth_bytes_per_s", one.bandwidth.value()},
                                    {"links", one.links},
                                    {"name", one.name}});
  }
  json["node"] = map_json(map_of_node(cluster, 0), cluster);
  if (cluster.num_nodes() > 1) json["network"] = map_json(map_of_network(cluster), cluster);
  return json;
}

std::string topology_text(const std::string& title, const Cluster& cluster) {
  Table table({Align::Left, Align::Right, Align::Right, Align::Left});
  table.add_row({"", "bandwidth", "links", "first"});
  for (const EqualLinks& one : equal_links(cluster)) {
    table.add_row({words(one.kind), to_text(one.bandwidth), count_text(one.links), one.name});
  }
  return fmt::format("{}: {} GPUs, {} of each of {} {}\n\n", title, count_text(cluster.num_gpus()),
                     count_text(cluster.gpus_per_node()), count_text(cluster.num_nodes()),
                     cluster.num_nodes() == 1 ? "node" : "nodes") +
         "Links by kind and bandwidth, one direction each\n" + table.text();
}

}  // namespace stepcast
