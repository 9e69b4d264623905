#include "sim/simgrid/platform.h"

#include <map>
#include <string>
#include <utility>

namespace stepcast {
namespace {

namespace sg = simgrid::s4u;

using Route = std::vector<std::pair<int, int>>;  // (folded link, weight)

Route route_of(const FoldedCommunicator& communicator) {
  Route route;
  for (const WeightedLink& use : communicator.links) route.emplace_back(use.link, use.weight);
  return route;
}

// A full zone keeps repeated links; a star zone would drop them.
Path add_path(sg::NetZone* root, const std::string& name, const Route& route,
              const std::vector<sg::Link*>& links) {
  auto* zone = sg::create_full_zone(name);
  zone->set_parent(root);
  const Path path{zone->create_host(name + "_from", 1.0)->seal(),
                  zone->create_host(name + "_to", 1.0)->seal()};
  std::vector<sg::LinkInRoute> hops;
  for (const auto& [link, weight] : route) {
    hops.insert(hops.end(), static_cast<std::size_t>(weight),
                sg::LinkInRoute(links[static_cast<std::size_t>(link)]));
  }
  zone->add_route(path.from->get_netpoint(), path.to->get_netpoint(), nullptr, nullptr, hops,
                  false);
  zone->seal();
  return path;
}

}  // namespace

Platform build_platform(const FoldedProgram& folded) {
  auto* root = sg::create_full_zone("cluster");
  Platform platform;
  platform.walkers = root->create_host("walkers", 1.0)->seal();
  std::vector<sg::Link*> links;
  for (std::size_t l = 0; l < folded.links.size(); ++l) {
    auto* link = root->create_link("link" + std::to_string(l), folded.links[l].bandwidth.value());
    links.push_back(link->set_latency(0.0)->seal());
  }
  std::map<Route, Path> known;
  for (const FoldedCommunicator& communicator : folded.communicators) {
    const Route route = route_of(communicator);
    if (route.empty()) {
      platform.paths.push_back({});
      continue;
    }
    const auto [place, added] = known.try_emplace(route);
    if (added) {
      place->second = add_path(root, "path" + std::to_string(known.size()), route, links);
    }
    platform.paths.push_back(place->second);
  }
  root->seal();
  return platform;
}

}  // namespace stepcast
