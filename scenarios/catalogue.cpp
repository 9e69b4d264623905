#include "scenarios/catalogue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <utility>

#include "base/near_names.h"

namespace stepcast {

namespace {

namespace fs = std::filesystem;

/// Catalogue names are plain words, so that none can lead out of its folder.
bool is_plain_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

/// A name as a message quotes it: names may hold anything.
std::string quoted(const std::string& name) { return nlohmann::json(name).dump(); }

std::string path_from(const std::string& path, const InputPlace& from) {
  return (fs::path(from.file).parent_path() / path).lexically_normal().string();
}

std::string file_at_path(const std::string& path, const InputPlace& from) {
  const fs::path file = path_from(path, from);
  std::error_code error;
  if (fs::exists(file, error)) return file.string();
  throw InputError(from, "there is no file " + quoted(path),
                   "a path is relative to the file that names it",
                   {fmt::format("looked for {}", file.string())});
}

/// Whether a file lies in a folder once links are followed.
bool lies_in(const std::string& file, const std::string& folder) {
  std::error_code error;
  const fs::path real_folder = fs::canonical(folder, error);
  if (error) return false;
  const fs::path real_file = fs::weakly_canonical(file, error);
  if (error) return false;
  const auto [in_folder, in_file] =
      std::mismatch(real_folder.begin(), real_folder.end(), real_file.begin(), real_file.end());
  return in_folder == real_folder.end();
}

}  // namespace

std::string catalogue_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = program.parent_path() / STEPCAST_INSTALLED_CATALOGUE;
  if (!error && fs::is_directory(installed, error)) return installed.lexically_normal().string();
  return STEPCAST_SOURCE_CATALOGUE;
}

bool is_path_name(std::string_view name) {
  return name.find('/') != std::string_view::npos || name.ends_with(".json");
}

Catalogue::Catalogue(std::string folder, std::optional<std::string> readable)
    : folder_(std::move(folder)), readable_(std::move(readable)) {}

PartResolver::Part Catalogue::resolve(std::string_view kind, const std::string& name,
                                      const InputPlace& from) {
  const std::string file = file_of(kind, name, from);
  const auto found = read_.find(file);
  if (found != read_.end()) return found->second;
  const Part part{file, std::make_shared<const nlohmann::json>(read_json_file(file))};
  return read_.emplace(file, part).first->second;
}

std::string Catalogue::file_of(std::string_view kind, const std::string& name,
                               const InputPlace& from) const {
  if (is_path_name(name)) {
    check_readable(path_from(name, from), name, from);
    return file_at_path(name, from);
  }
  const fs::path file = fs::path(folder_) / kind / (name + ".json");
  std::error_code error;
  if (is_plain_name(name) && fs::exists(file, error)) return file.string();
  const std::vector<std::string> known = names(std::string(kind));
  throw InputError(from, fmt::format("no {} in the catalogue's {}", quoted(name), kind),
                   did_you_mean(name, known), {fmt::format("known: {}", fmt::join(known, ", "))});
}

// Says the same whether the file is there or not.
void Catalogue::check_readable(const std::string& file, const std::string& name,
                               const InputPlace& from) const {
  if (!readable_ || lies_in(file, *readable_) || lies_in(file, folder_)) return;
  throw InputError(from, fmt::format("{} leads out of the folder that may be read", quoted(name)),
                   "name a part of the catalogue, or a file of that folder");
}

std::vector<std::string> Catalogue::kinds() const {
  std::set<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder_, error)) {
    if (entry.path().extension() != ".json") continue;
    found.insert(entry.path().parent_path().lexically_relative(folder_).generic_string());
  }
  return {found.begin(), found.end()};
}

std::vector<std::string> Catalogue::names(const std::string& kind) const {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fs::path(folder_) / kind, error)) {
    if (entry.path().extension() == ".json") found.push_back(entry.path().stem().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace stepcast
