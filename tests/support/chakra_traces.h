// Small execution traces as Chakra writes them, a file a rank.
#pragma once

#include <google/protobuf/util/delimited_message_util.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "scenarios/import/chakra/execution_trace.pb.h"
#include "tests/support/small_scenario.h"

namespace stepcast::test {

using Dependencies = std::vector<std::uint64_t>;

inline chakra::Node traced_node(std::uint64_t id, chakra::NodeType type,
                                const Dependencies& after = {}) {
  chakra::Node node;
  node.set_id(id);
  node.set_name("n" + std::to_string(id));
  node.set_type(type);
  for (const std::uint64_t one : after) node.add_data_deps(one);
  return node;
}

inline chakra::Node traced_compute(std::uint64_t id, std::uint64_t microseconds,
                                   const Dependencies& after = {}) {
  chakra::Node node = traced_node(id, chakra::COMP_NODE, after);
  node.set_duration_micros(microseconds);
  return node;
}

inline chakra::Node with_number(chakra::Node node, const std::string& name, std::int64_t value) {
  chakra::Attribute& attribute = *node.add_attr();
  attribute.set_name(name);
  attribute.set_int64_val(value);
  return node;
}

inline chakra::Node with_text(chakra::Node node, const std::string& name,
                              const std::string& value) {
  chakra::Attribute& attribute = *node.add_attr();
  attribute.set_name(name);
  attribute.set_string_val(value);
  return node;
}

/// `bytes` as the rank puts them in.
inline chakra::Node traced_collective(std::uint64_t id, chakra::CommType type, std::int64_t bytes,
                                      const Dependencies& after = {}) {
  const chakra::Node node = traced_node(id, chakra::COMM_COLL_NODE, after);
  return with_number(with_number(node, "comm_type", type), "comm_size", bytes);
}

inline chakra::Node traced_message(std::uint64_t id, chakra::NodeType type, int partner,
                                   std::int64_t bytes, const Dependencies& after = {}) {
  const char* other = type == chakra::COMM_SEND_NODE ? "comm_dst" : "comm_src";
  const chakra::Node node = with_number(traced_node(id, type, after), other, partner);
  return with_number(node, "comm_size", bytes);
}

using TraceOfRank = std::vector<chakra::Node>;

inline std::string chakra_text(const TraceOfRank& nodes) {
  std::ostringstream text;
  chakra::Metadata metadata;
  metadata.set_version("0.0.4");
  google::protobuf::util::SerializeDelimitedToOstream(metadata, &text);
  for (const chakra::Node& node : nodes) {
    google::protobuf::util::SerializeDelimitedToOstream(node, &text);
  }
  return text.str();
}

/// Writes run.0.et, run.1.et ... and returns their prefix.
inline std::string write_traces(const TemporaryFolder& folder,
                                const std::vector<TraceOfRank>& ranks) {
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    folder.write("run." + std::to_string(rank) + ".et", chakra_text(ranks[rank]));
  }
  return folder.path("run");
}

}  // namespace stepcast::test
