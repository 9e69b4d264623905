#include "cli/report_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "base/input_error.h"
#include "reports/html.h"

namespace stepcast {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& file, const std::string& why) {
  throw InputError({file, ""}, "the report cannot be written: " + why,
                   "--report names a file in a folder that exists");
}

[[noreturn]] void refuse(const std::string& file, int error) {
  refuse(file, std::generic_category().message(error));
}

// What a link leads to is replaced, not the link.
fs::path target_of(const std::string& file) {
  std::error_code error;
  const fs::path real = fs::canonical(file, error);
  return error ? fs::path(file) : real;
}

// As the shell's > would set them for a new file.
mode_t permissions(const fs::path& target) {
  struct stat status = {};
  if (stat(target.c_str(), &status) == 0) return status.st_mode & 0777U;
  const mode_t mask = umask(0);
  umask(mask);
  return 0666U & ~mask;
}

// A file beside the one it will replace; gone unless it has done so.
class Draft {
 public:
  explicit Draft(const std::string& file) : file_(file), target_(target_of(file)) {
    std::error_code error;
    const fs::file_status status = fs::status(target_, error);
    if (fs::is_directory(status)) refuse(file, EISDIR);
    if (fs::exists(status) && !fs::is_regular_file(status)) refuse(file, "this is not a file");
    if (fs::exists(status) && access(target_.c_str(), W_OK) != 0) refuse(file, errno);
    if (!target_.has_filename()) refuse(file, "there is no name of a file");
    draft_ = (target_.parent_path() / ".stepcast-XXXXXX").string();
    const int descriptor = mkstemp(draft_.data());
    if (descriptor < 0) refuse(file, errno);
    stream_ = fdopen(descriptor, "wb");
  }
  ~Draft() {
    if (stream_ != nullptr) std::fclose(stream_);
    if (!draft_.empty()) unlink(draft_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  void publish(const std::string& text) {
    const bool written = std::fwrite(text.data(), 1, text.size(), stream_) == text.size();
    const int write_error = errno;
    const bool closed = std::fclose(stream_) == 0;
    stream_ = nullptr;
    if (!written) refuse(file_, write_error);
    if (!closed) refuse(file_, errno);
    if (chmod(draft_.c_str(), permissions(target_)) != 0) refuse(file_, errno);
    if (std::rename(draft_.c_str(), target_.c_str()) != 0) refuse(file_, errno);
    draft_.clear();
  }

 private:
  std::string file_;  ///< as the user names it
  fs::path target_;
  std::string draft_;
  std::FILE* stream_ = nullptr;
};

}  // namespace

void add_report_option(CLI::App& command, ScenarioOptions& options) {
  command
      .add_option("--report", options.report,
                  "Write the answer as a page too: one HTML file that opens offline")
      ->type_name("FILE.html");
}

void check_report_file(const ScenarioOptions& options) {
  if (!options.report) return;
  html_template();
  const Draft draft(*options.report);
}

void write_report_file(const std::string& file, const std::string& page) {
  Draft(file).publish(page);
}

}  // namespace stepcast
