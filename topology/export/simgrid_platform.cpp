#include "topology/export/simgrid_platform.h"

#include <fmt/format.h>

#include <pugixml.hpp>
#include <sstream>

#include "base/input_error.h"

namespace stepcast {
namespace {

using Xml = pugi::xml_node;

std::string host_name(GpuId gpu) { return fmt::format("gpu{}", gpu); }

void add_host(Xml& zone, const Cluster& cluster, GpuId gpu) {
  const double rate = cluster.spec().node.gpu.fp16.value() * cluster.gpu_rate(gpu);
  Xml host = zone.append_child("host");
  host.append_attribute("id") = host_name(gpu).c_str();
  host.append_attribute("speed") = fmt::format("{}f", rate).c_str();
}

void add_link(Xml& zone, const Link& link) {
  Xml child = zone.append_child("link");
  child.append_attribute("id") = link.name.c_str();
  child.append_attribute("bandwidth") = fmt::format("{}Bps", link.bandwidth.value()).c_str();
  child.append_attribute("latency") = "0s";
}

void add_route(Xml& zone, const Cluster& cluster, GpuId from, GpuId to) {
  Xml route = zone.append_child("route");
  route.append_attribute("src") = host_name(from).c_str();
  route.append_attribute("dst") = host_name(to).c_str();
  route.append_attribute("symmetrical") = "NO";
  for (const LinkId link : cluster.route(from, to)) {
    const std::string& name = cluster.links()[static_cast<std::size_t>(link)].name;
    route.append_child("link_ctn").append_attribute("id") = name.c_str();
  }
}

}  // namespace

std::string simgrid_platform(const Cluster& cluster) {
  const int gpus = cluster.num_gpus();
  if (gpus > max_platform_gpus) {
    throw InputError(
        {"", "/cluster"},
        fmt::format("{} GPUs; a platform is written for at most {}", gpus, max_platform_gpus),
        "take fewer nodes, as in --set cluster.nodes=8");
  }
  pugi::xml_document document;
  document.append_child(pugi::node_doctype)
      .set_value("platform SYSTEM \"https://simgrid.org/simgrid.dtd\"");
  Xml platform = document.append_child("platform");
  platform.append_attribute("version") = "4.1";
  Xml zone = platform.append_child("zone");
  zone.append_attribute("id") = "cluster";
  zone.append_attribute("routing") = "Full";
  for (GpuId gpu = 0; gpu < gpus; ++gpu) add_host(zone, cluster, gpu);
  for (const Link& link : cluster.links()) add_link(zone, link);
  for (GpuId from = 0; from < gpus; ++from) {
    for (GpuId to = 0; to < gpus; ++to) {
      if (from != to) add_route(zone, cluster, from, to);
    }
  }
  std::ostringstream text;
  document.save(text, "  ");
  return text.str();
}

}  // namespace stepcast
