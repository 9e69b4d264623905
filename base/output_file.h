// A file that a command writes: whole or not at all.
#pragma once

#include <filesystem>
#include <memory>
#include <ostream>
#include <string>

namespace stepcast {

/// What is written goes to a file beside the one it will replace, and takes its place when it is
/// complete; without `publish` nothing is left. A file that a link leads to is replaced, not the
/// link; permissions are the old file's, or as the shell's > would set them.
///
/// Constructing and publishing throw InputError where the file cannot be written, with `what` it is
/// ("the report") and the `option` that named it ("--report").
class OutputFile {
 public:
  OutputFile(std::string file, std::string what, std::string option);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  std::ostream& stream() { return *stream_; }
  void publish();

 private:
  [[noreturn]] void refuse(const std::string& why) const;
  [[noreturn]] void refuse(int error) const;

  std::string file_;  ///< as the user names it
  std::string what_;
  std::string option_;
  std::filesystem::path target_;
  std::string draft_;
  std::unique_ptr<std::ostream> stream_;
};

/// Throws as OutputFile does, and leaves nothing: for telling before minutes of work.
void check_output_file(const std::string& file, const std::string& what, const std::string& option);

/// Writes `text` whole or not at all.
void write_output_file(const std::string& file, const std::string& what, const std::string& option,
                       const std::string& text);

}  // namespace stepcast
