// An object of another program's file, which knows what nobody asked it for. Private to
// scenarios/import.
#pragma once

#include <initializer_list>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/input_error.h"

namespace stepcast {

/// Keys are given with their aliases, the first that is present counts; null counts as absent. A
/// value of the wrong type is an InputError with its pointer. Requires that `object` outlives it.
class ForeignObject {
 public:
  using Names = std::initializer_list<const char*>;

  /// Throws InputError where `object` is none.
  ForeignObject(const nlohmann::json& object, InputPlace place);

  std::optional<int> count(Names names);  ///< a whole number of at least 0
  int required_count(Names names);        ///< of at least 1
  std::optional<double> number(Names names);
  std::optional<bool> flag(Names names);
  std::optional<std::string> text(Names names);
  std::optional<ForeignObject> object(const char* name);
  /// The value as it stands, or null.
  const nlohmann::json* value(Names names);

  /// Takes keys that are there; which ones.
  std::vector<std::string> take(const std::set<std::string, std::less<>>& names);

  InputPlace place_of(std::string_view key) const;
  const InputPlace& place() const { return place_; }

  /// What was not asked for, here and in objects inside that were: `a.b`.
  std::vector<std::string> left() const;

 private:
  struct Found {
    const char* name = nullptr;
    const nlohmann::json* value = nullptr;
  };
  Found find(Names names);
  [[noreturn]] void refuse(const Found& found, const char* expected) const;
  bool asked_for(const InputPlace& place) const { return taken_->count(place.pointer) > 0; }
  void collect_left(const nlohmann::json& object, const InputPlace& place, const std::string& path,
                    std::vector<std::string>& names) const;

  const nlohmann::json* object_;
  InputPlace place_;
  std::shared_ptr<std::set<std::string>> taken_;  ///< pointers of the whole file
};

}  // namespace stepcast
