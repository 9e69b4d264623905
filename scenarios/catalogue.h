// The named parts that ship with the program: models, GPUs, nodes, fabrics, prices, profiles.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/fields.h"

namespace stepcast {

/// Where the catalogue stands: beside the installed program (share/stepcast/catalogue), else in the
/// source tree that the program was built from.
std::string catalogue_folder();

/// Resolves a name to catalogue/KIND/NAME.json, or a path (it has a '/' or ends in ".json") relative
/// to the file that names it. Keeps what it has read. Unknown names: InputError with the nearest ones.
class Catalogue : public PartResolver {
 public:
  explicit Catalogue(std::string folder);
  Part resolve(std::string_view kind, const std::string& name, const InputPlace& from) override;

  /// Kinds ("models", "nodes", ...), and the names of a kind, sorted.
  std::vector<std::string> kinds() const;
  std::vector<std::string> names(const std::string& kind) const;

 private:
  std::string folder_;
  std::map<std::string, Part> read_;
};

}  // namespace stepcast
