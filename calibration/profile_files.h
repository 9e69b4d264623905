// The catalogue's profile files as a fit changes them.
#pragma once

#include <memory>
#include <string>

#include "calibration/map_fit.h"

namespace stepcast {

/// Numbers are written with four significant digits. Each file is read once, when it is first
/// changed; nothing is written before write(). Profiles are named as "gpu/a100". Throws InputError
/// where there is no such file.
class ProfileFiles {
 public:
  explicit ProfileFiles(std::string catalogue_folder);
  ~ProfileFiles();

  void set_comment(const std::string& profile, const std::string& comment);

  /// Value (with a unit where the file has one), spread and what it was fitted to, of a constant
  /// as "gemm/launch".
  void set(const std::string& profile, const std::string& constant, const FittedParameter& fitted,
           const std::string& fitted_to);

  void write() const;

 private:
  struct Read;
  std::unique_ptr<Read> read_;
};

}  // namespace stepcast
