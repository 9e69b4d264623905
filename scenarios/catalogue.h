// The named parts that ship with the program: models, GPUs, nodes, fabrics, prices, profiles.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"

namespace stepcast {

/// Where the catalogue stands: beside the installed program (share/stepcast/catalogue), else in the
/// source tree that the program was built from.
std::string catalogue_folder();

/// Whether a part's name as written is a path: it has a '/' or ends in ".json".
bool is_path_name(std::string_view name);

/// Resolves a name to catalogue/KIND/NAME.json, or a path relative to the file that names it. Keeps
/// what it has read. Unknown names: InputError with the nearest ones.
class Catalogue : public PartResolver {
 public:
  /// With `readable`, paths may lead into that folder and the catalogue only, by whatever way: for
  /// scenarios that come from elsewhere.
  explicit Catalogue(std::string folder, std::optional<std::string> readable = std::nullopt);
  Part resolve(std::string_view kind, const std::string& name, const InputPlace& from) override;

  /// Kinds ("models", "nodes", "profiles/gpu", ...), and the names of a kind, sorted.
  std::vector<std::string> kinds() const;
  std::vector<std::string> names(const std::string& kind) const;

 private:
  std::string file_of(std::string_view kind, const std::string& name, const InputPlace& from) const;

  void check_readable(const std::string& file, const std::string& name,
                      const InputPlace& from) const;

  std::string folder_;
  std::optional<std::string> readable_;
  std::map<std::string, Part> read_;  ///< by file
};

}  // namespace stepcast
