#include "sim/implied_links.h"

#include <algorithm>
#include <map>

namespace stepcast {
namespace {

// Devices with more links than this are switches of the fabric: there, all links in use count as
// possible neighbours instead of those that share a flow (fewer links implied, none wrongly).
constexpr std::size_t kFewNeighbours = 16;

class ImpliedLinks {
 public:
  ImpliedLinks(const std::vector<CommunicatorFlows>& flows, std::span<const Link> links)
      : flows_(flows),
        links_(links),
        users_(links.size()),
        kept_(links.size(), 0),
        begins_here_(links.size(), 0) {
    for (std::size_t c = 0; c < flows.size(); ++c) {
      for (const WeightedLink& use : flows[c].links) {
        users_[static_cast<std::size_t>(use.link)].push_back(static_cast<int>(c));
        if (flows[c].stays_in_memory) begins_here_[static_cast<std::size_t>(use.link)] = 1;
      }
    }
    for (std::size_t l = 0; l < links.size(); ++l) {
      if (users_[l].empty()) continue;
      kept_[l] = 1;
      leaving_[links[l].from].push_back(l);
      entering_[links[l].to].push_back(l);
    }
  }

  // One at a time, each against what is still kept, so that no two imply each other away.
  std::vector<char> find() {
    for (std::size_t l = 0; l < links_.size(); ++l) {
      if (!kept_[l] || begins_here_[l]) continue;
      const Link& link = links_[l];
      const bool implied =
          (!link.ends_in_device && fits_through(l, leaving_[link.to], &Link::to, link.from)) ||
          (!link.starts_in_device && fits_through(l, entering_[link.from], &Link::from, link.to));
      if (implied) kept_[l] = 0;
    }
    return kept_;
  }

 private:
  // Whether the neighbours that l's messages go on over have together no more than l's bandwidth.
  // `far_end` of a neighbour at `back` would be a message that turns round: there is none.
  bool fits_through(std::size_t l, const std::vector<std::size_t>& neighbours, int Link::*far_end,
                    int back) const {
    const bool few = neighbours.size() <= kFewNeighbours;
    const BytesPerSecond limit = links_[l].bandwidth * (1.0 + 1e-12);
    BytesPerSecond sum;
    bool any = false;
    for (const std::size_t n : neighbours) {
      if (links_[n].*far_end == back) continue;
      if (few && !share_a_flow(l, n)) continue;
      if (!kept_[n]) return false;
      sum += links_[n].bandwidth;
      any = true;
      if (sum > limit) return false;
    }
    return any;
  }

  bool share_a_flow(std::size_t a, std::size_t b) const {
    const std::vector<int>& users = users_[a].size() < users_[b].size() ? users_[a] : users_[b];
    const auto other = static_cast<LinkId>(users_[a].size() < users_[b].size() ? b : a);
    return std::any_of(users.begin(), users.end(), [&](int c) {
      const auto& uses = flows_[static_cast<std::size_t>(c)].links;
      const auto place =
          std::lower_bound(uses.begin(), uses.end(), other,
                           [](const WeightedLink& use, LinkId link) { return use.link < link; });
      return place != uses.end() && place->link == other;
    });
  }

  const std::vector<CommunicatorFlows>& flows_;
  std::span<const Link> links_;
  std::vector<std::vector<int>> users_;  // [link] -> communicators that cross it
  std::vector<char> kept_;
  std::vector<char> begins_here_;  // crossed by what goes on over no other link
  std::map<int, std::vector<std::size_t>> leaving_, entering_;  // [device] -> links in use
};

}  // namespace

void drop_implied_links(std::vector<CommunicatorFlows>& flows, std::span<const Link> links) {
  const std::vector<char> kept = ImpliedLinks(flows, links).find();
  for (CommunicatorFlows& communicator : flows) {
    std::erase_if(communicator.links, [&](const WeightedLink& use) {
      return kept[static_cast<std::size_t>(use.link)] == 0;
    });
  }
}

}  // namespace stepcast
