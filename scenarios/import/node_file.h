// A node of the catalogue's form from what another program says about a machine. What that program
// cannot say (memory, rates, power) comes from a node of the catalogue, or is left to fill in.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "scenarios/catalogue.h"
#include "topology/import/node_sketch.h"

namespace stepcast {

struct NodeFile {
  std::shared_ptr<const nlohmann::ordered_json> json;  ///< what `"node": "PATH"` reads
  std::string gpu;                      ///< catalogue name; empty where it was not recognised
  std::string like;                     ///< the node that gave what the file does not say
  std::vector<std::string> from_like;   ///< keys taken from it
  std::vector<std::string> to_fill_in;  ///< keys that the node lacks before it can be used
};

/// `gpu` names the GPU and `like` the node to take the rest from; empty: the GPU by its PCI device
/// number, and the first node of the catalogue with that GPU. `source` is written into the file.
/// Throws InputError where one of the names is unknown, or a complete node makes no sense.
NodeFile node_file(const NodeSketch& sketch, const std::string& gpu, const std::string& like,
                   const std::string& source, Catalogue& catalogue);

}  // namespace stepcast
