#include "base/output_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/input_error.h"

namespace stepcast {
namespace {

namespace fs = std::filesystem;

fs::path target_of(const std::string& file) {
  std::error_code error;
  const fs::path real = fs::canonical(file, error);
  return error ? fs::path(file) : real;
}

mode_t permissions(const fs::path& target) {
  struct stat status = {};
  if (stat(target.c_str(), &status) == 0) return status.st_mode & 0777U;
  const mode_t mask = umask(0);
  umask(mask);
  return 0666U & ~mask;
}

}  // namespace

OutputFile::OutputFile(std::string file, std::string what, std::string option)
    : file_(std::move(file)),
      what_(std::move(what)),
      option_(std::move(option)),
      target_(target_of(file_)) {
  std::error_code error;
  const fs::file_status status = fs::status(target_, error);
  if (fs::is_directory(status)) refuse(EISDIR);
  if (fs::exists(status) && !fs::is_regular_file(status)) refuse("this is not a file");
  if (fs::exists(status) && access(target_.c_str(), W_OK) != 0) refuse(errno);
  if (!target_.has_filename()) refuse("there is no name of a file");
  draft_ = (target_.parent_path() / ".stepcast-XXXXXX").string();
  const int descriptor = mkstemp(draft_.data());
  if (descriptor < 0) {
    const int reason = errno;
    draft_.clear();
    refuse(reason);
  }
  close(descriptor);
  stream_ = std::make_unique<std::ofstream>(draft_, std::ios::binary);
}

OutputFile::~OutputFile() {
  stream_.reset();
  if (!draft_.empty()) unlink(draft_.c_str());
}

void OutputFile::refuse(const std::string& why) const {
  throw InputError({file_, ""}, what_ + " cannot be written: " + why,
                   option_ + " names a file in a folder that exists");
}

void OutputFile::refuse(int error) const { refuse(std::generic_category().message(error)); }

void OutputFile::publish() {
  stream_->flush();
  if (!*stream_) refuse(errno);
  stream_.reset();
  if (chmod(draft_.c_str(), permissions(target_)) != 0) refuse(errno);
  if (std::rename(draft_.c_str(), target_.c_str()) != 0) refuse(errno);
  draft_.clear();
}

void check_output_file(const std::string& file, const std::string& what,
                       const std::string& option) {
  const OutputFile draft(file, what, option);
}

void write_output_file(const std::string& file, const std::string& what, const std::string& option,
                       const std::string& text) {
  OutputFile draft(file, what, option);
  draft.stream() << text;
  draft.publish();
}

}  // namespace stepcast
