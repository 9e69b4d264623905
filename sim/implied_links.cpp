#include "sim/implied_links.h"

#include <algorithm>
#include <map>

namespace stepcast {
namespace {

// Devices with more links than this are switches of the fabric: there, all links in use count as
// possible neighbours instead of those that share a flow (fewer links implied, none wrongly).
constexpr std::size_t kFewNeighbours = 16;

// Whether messages of this kind may end (or begin) in the switch behind the link, which reduces or
// spreads them: nothing then follows from what leaves it.
bool may_end_behind(TrafficKind kind, LinkKind link) {
  switch (kind) {
    case TrafficKind::Ring:
    case TrafficKind::Tree:
    case TrafficKind::AllToAll:
      return false;
    case TrafficKind::NvlsTree:
      return link == LinkKind::NvLink;
    case TrafficKind::Nvls:
      return link == LinkKind::NvLink || link == LinkKind::Nic || link == LinkKind::Network;
    case TrafficKind::CollNet:
      break;
  }
  return link == LinkKind::Nic || link == LinkKind::Network;
}

class ImpliedLinks {
 public:
  ImpliedLinks(const std::vector<CommunicatorFlows>& flows, std::span<const Link> links,
               std::span<const BackgroundFlow> background)
      : links_(links),
        users_(links_.size()),
        kept_(links_.size(), 0),
        never_implied_(links_.size(), 0) {
    for (const CommunicatorFlows& communicator : flows) {
      for (int kind = 0; kind < kNumTrafficKinds; ++kind) {
        add(communicator.links[static_cast<std::size_t>(kind)], static_cast<TrafficKind>(kind),
            communicator.stays_in_memory);
      }
    }
    for (const BackgroundFlow& flow : background) {
      for (const int link : flow.links) never_implied_[static_cast<std::size_t>(link)] = 1;
    }
    for (std::size_t l = 0; l < links_.size(); ++l) {
      if (users_[l].empty()) continue;
      kept_[l] = 1;
      leaving_[links_[l].from].push_back(l);
      entering_[links_[l].to].push_back(l);
    }
  }

  // One at a time, each against what is still kept, so that no two imply each other away.
  std::vector<char> find() {
    for (std::size_t l = 0; l < links_.size(); ++l) {
      if (!kept_[l] || never_implied_[l]) continue;
      const Link& link = links_[l];
      const bool implied =
          (!link.ends_in_device && fits_through(l, leaving_[link.to], &Link::to, link.from)) ||
          (!link.starts_in_device && fits_through(l, entering_[link.from], &Link::from, link.to));
      if (implied) kept_[l] = 0;
    }
    return kept_;
  }

 private:
  void add(const std::vector<WeightedLink>& links, TrafficKind kind, bool stays_here) {
    if (links.empty()) return;
    for (const WeightedLink& use : links) {
      const auto link = static_cast<std::size_t>(use.link);
      users_[link].push_back(static_cast<int>(flows_.size()));
      if (stays_here || may_end_behind(kind, links_[link].kind)) never_implied_[link] = 1;
    }
    flows_.push_back(&links);
  }

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
      const auto& uses = *flows_[static_cast<std::size_t>(c)];
      const auto place =
          std::lower_bound(uses.begin(), uses.end(), other,
                           [](const WeightedLink& use, LinkId link) { return use.link < link; });
      return place != uses.end() && place->link == other;
    });
  }

  std::span<const Link> links_;
  std::vector<const std::vector<WeightedLink>*> flows_;
  std::vector<std::vector<int>> users_;  // [link] -> flows that cross it
  std::vector<char> kept_;
  std::vector<char> never_implied_;  // crossed by what goes on over no other link
  std::map<int, std::vector<std::size_t>> leaving_, entering_;  // [device] -> links in use
};

}  // namespace

void drop_implied_links(std::vector<CommunicatorFlows>& flows, std::span<const Link> links,
                        std::span<const BackgroundFlow> background) {
  const std::vector<char> kept = ImpliedLinks(flows, links, background).find();
  for (CommunicatorFlows& communicator : flows) {
    for (std::vector<WeightedLink>& uses : communicator.links) {
      std::erase_if(uses, [&](const WeightedLink& use) {
        return kept[static_cast<std::size_t>(use.link)] == 0;
      });
    }
  }
}

}  // namespace stepcast
