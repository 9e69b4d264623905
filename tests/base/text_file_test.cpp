#include "base/text_file.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/fields.h"
#include "tests/base/error_text.h"

namespace stepcast {

namespace {

/// A file in the folder for temporary files, removed at the end of its scope.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content)
      : path_(std::filesystem::temp_directory_path() /
              ("stepcast_text_file_test_" + std::to_string(getpid()))) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("a file is read byte for byte", "[base]") {
  const std::string content("a\r\n\0b\xFF", 6);
  REQUIRE(read_text_file(TemporaryFile(content).path()) == content);
  REQUIRE(read_text_file(TemporaryFile("").path()).empty());
}

TEST_CASE("a file of JSON is read, and its errors name it", "[base]") {
  const TemporaryFile good(R"({"a": 1})");
  REQUIRE(read_json_file(good.path()) == nlohmann::json{{"a", 1}});
  const TemporaryFile empty("");
  REQUIRE(error_text([&] { read_json_file(empty.path()); }) ==
          empty.path() + ": at line 1, column 1: the text is empty, expected JSON");
}

TEST_CASE("a missing file, a folder and a path through a file are errors", "[base]") {
  const TemporaryFile file("x");
  const std::string folder = std::filesystem::temp_directory_path().string();
  REQUIRE(error_text([&] { read_text_file("no/such/file.json"); }) ==
          "no/such/file.json: at /: there is no such file");
  REQUIRE(error_text([&] { read_text_file(folder); }) ==
          folder + ": at /: this is a folder, expected a file");
  REQUIRE(error_text([&] { read_text_file(file.path() + "/x.json"); }) ==
          file.path() + "/x.json: at /: the file cannot be read: Not a directory");
}

TEST_CASE("a file that may not be read is an error", "[base]") {
  const TemporaryFile file("{}");
  std::filesystem::permissions(file.path(), std::filesystem::perms::none);
  if (geteuid() == 0) {
    WARN("not tested as root, who may read any file");
    return;
  }
  REQUIRE(error_text([&] { read_text_file(file.path()); }) ==
          file.path() + ": at /: the file cannot be read: Permission denied");
}

TEST_CASE("a file of 64 MiB is read and a larger one is not", "[base]") {
  const TemporaryFile file("");
  std::filesystem::resize_file(file.path(), 64U << 20U);
  REQUIRE(read_text_file(file.path()).size() == 64U << 20U);
  std::filesystem::resize_file(file.path(), (64U << 20U) + 1);
  REQUIRE(error_text([&] { read_text_file(file.path()); }) ==
          file.path() + ": at /: the file is larger than 64 MiB, which no input needs to be");
}

}  // namespace stepcast
