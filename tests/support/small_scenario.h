// A scenario to change in tests, as text and read.
#pragma once

#include <filesystem>
#include <string>

#include "scenarios/scenario.h"

namespace stepcast::test {

/// Four layers on one node of eight A100s, with `patch` merged over it (RFC 7396).
std::string small_scenario(const std::string& patch = "{}");

/// Reads a file's text as if it stood in "scenario.json"; a scenario gives one.
std::vector<Scenario> read_texts(const std::string& text, const ReadOptions& options = {});
Scenario read_text(const std::string& text, const ReadOptions& options = {});

/// The whole message of the InputError that reading gives.
std::string text_error(const std::string& text, const ReadOptions& options = {});

/// A folder for files that a test writes; gone with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  /// Writes a file, with the folders on its way, and returns its path.
  std::string write(const std::string& name, const std::string& text) const;
  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace stepcast::test
