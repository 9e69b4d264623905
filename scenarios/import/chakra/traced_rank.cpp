#include "scenarios/import/chakra/traced_rank.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/util/delimited_message_util.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "base/input_error.h"
#include "scenarios/import/chakra/execution_trace.pb.h"

namespace stepcast {
namespace {

namespace fs = std::filesystem;

InputPlace place_of(const std::string& file, const chakra::Node& node) {
  return {file, fmt::format("node {} \"{}\"", node.id(), node.name())};
}

std::optional<std::int64_t> whole_number(const chakra::Attribute& attribute) {
  switch (attribute.value_case()) {
    case chakra::Attribute::kInt32Val:
      return attribute.int32_val();
    case chakra::Attribute::kInt64Val:
      return attribute.int64_val();
    case chakra::Attribute::kUint32Val:
      return attribute.uint32_val();
    case chakra::Attribute::kUint64Val:
      return static_cast<std::int64_t>(attribute.uint64_val());
    default:
      return std::nullopt;
  }
}

// A node's attributes by name; what is never asked for is not carried over.
class Attributes {
 public:
  Attributes(const std::string& file, const chakra::Node& node) : file_(file), node_(node) {}

  /// At least 0 and at most `largest`, or empty where the node does not say.
  std::optional<std::int64_t> number(
      const char* name, std::int64_t largest = std::numeric_limits<std::int64_t>::max()) {
    const chakra::Attribute* attribute = find(name);
    if (attribute == nullptr) return std::nullopt;
    const std::optional<std::int64_t> value = whole_number(*attribute);
    if (value && *value >= 0 && *value <= largest) return value;
    throw InputError(place_of(file_, node_),
                     fmt::format("\"{}\" is no whole number from 0 to {}", name, largest));
  }

  std::int64_t required(const char* name, std::int64_t largest, const char* way_out) {
    if (const std::optional<std::int64_t> value = number(name, largest)) return *value;
    throw InputError(place_of(file_, node_), fmt::format("\"{}\" is missing", name), way_out);
  }

  std::string text(const char* name) {
    const chakra::Attribute* attribute = find(name);
    return attribute == nullptr ? std::string() : attribute->string_val();
  }

  bool flag(const char* name) {
    const chakra::Attribute* attribute = find(name);
    return attribute != nullptr && attribute->bool_val();
  }

  void list_unread(std::map<std::string, int>& unread) const {
    for (const chakra::Attribute& attribute : node_.attr()) {
      if (!taken_.count(attribute.name())) ++unread[attribute.name()];
    }
  }

 private:
  const chakra::Attribute* find(const char* name) {
    taken_.insert(name);
    for (const chakra::Attribute& attribute : node_.attr()) {
      if (attribute.name() == name) return &attribute;
    }
    return nullptr;
  }

  const std::string& file_;
  const chakra::Node& node_;
  std::set<std::string> taken_;
};

constexpr std::int64_t largest_size = std::int64_t{1} << 50;
constexpr std::int64_t largest_int = std::numeric_limits<int>::max();

// NCCL's reduce runs as its broadcast does. The rest has no model of its own.
CollectiveKind collective_of(const std::string& file, const chakra::Node& node,
                             std::int64_t comm_type) {
  switch (comm_type) {
    case chakra::ALL_REDUCE:
      return CollectiveKind::AllReduce;
    case chakra::ALL_GATHER:
      return CollectiveKind::AllGather;
    case chakra::BROADCAST:
    case chakra::REDUCE:
      return CollectiveKind::Broadcast;
    case chakra::ALL_TO_ALL:
      return CollectiveKind::AllToAll;
    case chakra::REDUCE_SCATTER:
    case chakra::REDUCE_SCATTER_BLOCK:
      return CollectiveKind::ReduceScatter;
    case chakra::BARRIER:
      return CollectiveKind::AllReduce;
    default:
      throw InputError(place_of(file, node),
                       fmt::format("comm_type {} is no collective that is modelled", comm_type),
                       "all-reduce 0, reduce 1, all-gather 2, broadcast 5, all-to-all 6, "
                       "reduce-scatter 7 and 8 and barrier 9 are");
  }
}

// NCCL has no barrier: PyTorch's is an all-reduce of one element.
constexpr Bytes barrier_size = 4_B;

// Files of one run, one after the other.
class ChakraReader {
 public:
  TracedRank read(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw InputError({file, ""}, "the file cannot be read");
    google::protobuf::io::IstreamInputStream bytes(&in);
    chakra::Metadata metadata;
    if (!google::protobuf::util::ParseDelimitedFromZeroCopyStream(&metadata, &bytes, nullptr)) {
      throw InputError({file, ""}, "this is no execution trace of Chakra in protobuf",
                       "chakra_converter makes one from PyTorch's; unpack what is packed");
    }
    TracedRank rank{file, {}};
    while (true) {
      chakra::Node node;
      bool at_end = false;
      if (!google::protobuf::util::ParseDelimitedFromZeroCopyStream(&node, &bytes, &at_end)) {
        if (at_end) break;
        throw InputError({file, fmt::format("node number {}", rank.nodes.size() + 1)},
                         "the trace is cut off or broken here");
      }
      rank.nodes.push_back(carried(file, node));
    }
    if (rank.nodes.empty()) throw InputError({file, ""}, "the trace holds no nodes");
    return rank;
  }

  std::vector<std::string> not_carried() const {
    std::vector<std::string> lines;
    for (const auto& [type, count] : without_time_) {
      lines.push_back(
          fmt::format("{} of {} nodes: no duration is said, so they take no time", count, type));
    }
    if (!unread_.empty()) {
      std::vector<std::string> names;
      for (const auto& [name, count] : unread_) names.push_back(name);
      lines.push_back(fmt::format("attributes that are not read: {}", fmt::join(names, ", ")));
    }
    return lines;
  }

 private:
  TracedNode carried(const std::string& file, const chakra::Node& node) {
    TracedNode traced;
    traced.id = node.id();
    traced.name = node.name();
    traced.after.assign(node.data_deps().begin(), node.data_deps().end());
    traced.after.insert(traced.after.end(), node.ctrl_deps().begin(), node.ctrl_deps().end());
    traced.duration = Seconds(static_cast<double>(node.duration_micros()) / 1e6);
    Attributes attributes(file, node);
    add_work(file, node, attributes, traced);
    attributes.list_unread(unread_);
    return traced;
  }

  void add_work(const std::string& file, const chakra::Node& node, Attributes& attributes,
                TracedNode& traced) {
    switch (node.type()) {
      case chakra::METADATA_NODE:
        return;
      case chakra::COMP_NODE:
        return add_compute(attributes, traced);
      case chakra::MEM_LOAD_NODE:
      case chakra::MEM_STORE_NODE:
        traced.kind = node.type() == chakra::MEM_LOAD_NODE ? TracedKind::Load : TracedKind::Store;
        return count_without_time(node, traced);
      case chakra::COMM_COLL_NODE:
        return add_collective(file, node, attributes, traced);
      case chakra::COMM_SEND_NODE:
      case chakra::COMM_RECV_NODE:
        return add_message(node, attributes, traced);
      case chakra::STORAGE_NODE:
      case chakra::BATCH_NODE:
      case chakra::CHECKPOINT_NODE:
        traced.kind = TracedKind::HostCompute;
        return count_without_time(node, traced);
      default:
        throw InputError({file, fmt::format("node {}", node.id())},
                         fmt::format("found node type {}, which Chakra does not have",
                                     static_cast<int>(node.type())),
                         "this is another format, or a broken trace");
    }
  }

  void add_compute(Attributes& attributes, TracedNode& traced) {
    traced.kind = attributes.flag("is_cpu_op") ? TracedKind::HostCompute : TracedKind::Compute;
    if (traced.duration > Seconds()) return;
    traced.flop = Flop(static_cast<double>(attributes.number("num_ops").value_or(0)));
    traced.bytes =
        Bytes(static_cast<double>(attributes.number("tensor_size", largest_size).value_or(0)));
    if (!(traced.flop > Flop()) && !(traced.bytes > Bytes())) ++without_time_["COMP_NODE"];
  }

  void count_without_time(const chakra::Node& node, const TracedNode& traced) {
    if (!(traced.duration > Seconds())) ++without_time_[chakra::NodeType_Name(node.type())];
  }

  static void add_collective(const std::string& file, const chakra::Node& node,
                             Attributes& attributes, TracedNode& traced) {
    traced.kind = TracedKind::Collective;
    const std::int64_t type =
        attributes.required("comm_type", largest_int, "traces before schema 0.0.4 are not read");
    traced.collective = collective_of(file, node, type);
    traced.bytes = type == chakra::BARRIER ? barrier_size : size_of(attributes);
    traced.group = attributes.text("pg_name");
  }

  static void add_message(const chakra::Node& node, Attributes& attributes, TracedNode& traced) {
    const bool sends = node.type() == chakra::COMM_SEND_NODE;
    traced.kind = sends ? TracedKind::Send : TracedKind::Receive;
    traced.partner = static_cast<int>(
        attributes.required(sends ? "comm_dst" : "comm_src", largest_int,
                            "chakra_converter's traces of PyTorch do not name the other rank"));
    traced.tag = static_cast<int>(attributes.number("comm_tag", largest_int).value_or(0));
    traced.bytes = size_of(attributes);
  }

  static Bytes size_of(Attributes& attributes) {
    return Bytes(static_cast<double>(
        attributes.required("comm_size", largest_size, "it is the bytes that this rank puts in")));
  }

  std::map<std::string, int> without_time_;
  std::map<std::string, int> unread_;
};

std::string file_of(const std::string& prefix, std::size_t rank) {
  return fmt::format("{}.{}.et", prefix, rank);
}

// How many files of the run there are.
std::size_t count_ranks(const std::string& prefix) {
  std::size_t ranks = 0;
  while (fs::exists(file_of(prefix, ranks))) ++ranks;
  const fs::path parent = fs::path(prefix).parent_path();
  const std::string start = fs::path(prefix).filename().string() + ".";
  std::error_code none;
  std::size_t files = 0;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(parent.empty() ? "." : parent, none)) {
    const std::string name = entry.path().filename().string();
    const bool fits = name.starts_with(start) && name.ends_with(".et") &&
                      name.size() > start.size() + 3 &&
                      name.find_first_not_of("0123456789", start.size()) == name.size() - 3;
    files += fits;
  }
  if (ranks == files && ranks > 0) return ranks;
  throw InputError({file_of(prefix, ranks), ""}, "there is no such file",
                   files == 0 ? "--et gt names traces/gt.0.et, one file a rank, by traces/gt"
                              : "a run has one file a rank, from 0 without gaps",
                   {fmt::format("{} files lie at {}.N.et", files, prefix)});
}

}  // namespace

TracedRun read_chakra_traces(const std::string& prefix) {
  ChakraReader reader;
  TracedRun run;
  const std::size_t ranks = count_ranks(prefix);
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    run.ranks.push_back(reader.read(file_of(prefix, rank)));
  }
  run.not_carried = reader.not_carried();
  return run;
}

}  // namespace stepcast
