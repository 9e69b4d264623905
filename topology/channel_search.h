// How many channels NCCL's search places on a node's links, and at what pace: rings that each carry
// a rung of a ladder of speeds, from the top down.
#pragma once

#include <vector>

#include "topology/group_nodes.h"
#include "topology/traffic.h"

namespace stepcast {

/// Channels side by side as NCCL's tuner counts them (it runs two of each), and one channel's pace:
/// `intra` from member to member, `inter` through a NIC. Equal for rings.
struct SearchedChannels {
  int count = 1;
  BytesPerSecond intra;
  BytesPerSecond inter;
};

struct ChannelSearch {
  SearchedChannels ring;
  SearchedChannels tree;
  /// How many of the channels take each of the ways that were offered.
  std::vector<int> of_way;
};

/// One ring's way through a node: the members in order, every link that it crosses there, and of
/// these the hops from member to member.
struct ChannelWay {
  std::vector<GpuId> order;
  std::vector<WeightedLink> links;
  std::vector<WeightedLink> hops;
};

/// Places as many channels as fit, at the rung that makes the most of them:
///
///   most count x rung; of equals the highest rung; no rung below .49 of the best one found
///   a rung of 25 GB/s or more is halved and its channels doubled in number; from Hopper on only
///   where it is 50 GB/s or more, or there are at most 4
///   trees keep the rings' channels and raise the pace inside the node, rung by rung, while it is
///   under twice that of the NIC and the hops fit
///
/// `across`: the ways leave by NICs, whose ladder is another. Links count with what data reaches of
/// them. Where not even the lowest rung fits: one channel a way at what the links leave.
/// Source: NVIDIA/nccl src/graph/search.cc at v2.10.3-1 to v2.27.3-1. Left out: types of paths
/// (PIX, PHB, SYS), which NCCL tries in turn, its time limit, and channels that differ between
/// nodes.
ChannelSearch search_channels(const Cluster& cluster, const std::vector<ChannelWay>& ways,
                              bool across);

}  // namespace stepcast
