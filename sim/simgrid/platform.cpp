#include "sim/simgrid/platform.h"

#include <compare>
#include <map>
#include <simgrid/s4u.hpp>
#include <string>
#include <utility>

namespace stepcast {
namespace {

namespace sg = simgrid::s4u;

// A path: folded links with their weights, and a limit of the flow's own (0: none).
struct Route {
  std::vector<std::pair<int, int>> links;
  double limit = 0;
  auto operator<=>(const Route&) const = default;
};

Route route_of(const FoldedCommunicator& communicator, const Transfer& transfer) {
  Route route;
  for (const WeightedLink& use : communicator.traffic_of(transfer).links) {
    route.links.emplace_back(use.link, use.weight);
  }
  route.limit = transfer.rate_limit.value();
  return route;
}

class PlatformBuilder {
 public:
  explicit PlatformBuilder(const std::vector<FoldedLink>& links)
      : root_(sg::create_full_zone("cluster")) {
    for (std::size_t l = 0; l < links.size(); ++l) {
      links_.push_back(add_link("link" + std::to_string(l), links[l].bandwidth.value()));
    }
  }

  Path path(const Route& route) {
    if (route.links.empty() && route.limit <= 0) return {};
    const auto [place, added] = known_.try_emplace(route);
    if (added) place->second = add_path("path" + std::to_string(known_.size()), route);
    return place->second;
  }

  sg::Host* add_host(const std::string& name) { return root_->create_host(name, 1.0)->seal(); }
  void seal() { root_->seal(); }

 private:
  sg::Link* add_link(const std::string& name, double bandwidth) {
    return root_->create_link(name, bandwidth)->set_latency(0.0)->seal();
  }

  // A fat pipe bounds each flow by itself: flows that share a path do not share their limit.
  sg::Link* add_limit(const std::string& name, double bandwidth) {
    return root_->create_link(name, bandwidth)
        ->set_latency(0.0)
        ->set_sharing_policy(sg::Link::SharingPolicy::FATPIPE)
        ->seal();
  }

  // A full zone keeps repeated links; a star zone would drop them.
  Path add_path(const std::string& name, const Route& route) {
    auto* zone = sg::create_full_zone(name);
    zone->set_parent(root_);
    const Path path{zone->create_host(name + "_from", 1.0)->seal(),
                    zone->create_host(name + "_to", 1.0)->seal()};
    std::vector<sg::LinkInRoute> hops;
    for (const auto& [link, weight] : route.links) {
      hops.insert(hops.end(), static_cast<std::size_t>(weight),
                  sg::LinkInRoute(links_[static_cast<std::size_t>(link)]));
    }
    if (route.limit > 0) hops.emplace_back(add_limit(name + "_limit", route.limit));
    zone->add_route(path.from->get_netpoint(), path.to->get_netpoint(), nullptr, nullptr, hops,
                    false);
    zone->seal();
    return path;
  }

  sg::NetZone* root_;
  std::vector<sg::Link*> links_;
  std::map<Route, Path> known_;
};

}  // namespace

Platform build_platform(const FoldedProgram& folded) {
  PlatformBuilder builder(folded.links);
  Platform platform;
  platform.walkers = builder.add_host("walkers");
  for (const FoldedCommunicator& communicator : folded.communicators) {
    std::vector<Path>& paths = platform.paths.emplace_back();
    for (const Transfer& transfer : communicator.transfers) {
      paths.push_back(transfer.bytes > Bytes() ? builder.path(route_of(communicator, transfer))
                                               : Path{});
    }
  }
  for (const FoldedBackground& flow : folded.background) {
    Route route{{}, flow.rate.value()};
    for (const int link : flow.links) route.links.emplace_back(link, 1);
    platform.background.push_back(builder.path(route));
  }
  builder.seal();
  return platform;
}

}  // namespace stepcast
