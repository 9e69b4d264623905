// A sweep's results on disk, in SQLite: written in transactions as they come, so that a sweep that
// was killed goes on where it stood.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/search/layout_space.h"
#include "sim/search/sweep_rows.h"

namespace stepcast {

/// Tables: `sweep` (key, value: what was searched), `variants` (clusters), `layouts` (every valid
/// layout that has been bounded: its choices as JSON, its bounds or its error), `results` (layouts
/// that were predicted, or their error). Base units, named in the columns. The schema's version is
/// SQLite's user_version.
class SweepDatabase {
 public:
  /// Opens the file, or makes it; an empty name keeps all in memory. `program` names the version
  /// that predicts. Throws InputError where the file is no such database, belongs to another search
  /// or another version, or is in use.
  SweepDatabase(const std::string& file, const LayoutSpace& space, const std::string& program);
  ~SweepDatabase();
  SweepDatabase(const SweepDatabase&) = delete;
  SweepDatabase& operator=(const SweepDatabase&) = delete;

  /// What is known already, by layout.
  std::vector<LayoutBounds> bounds() const;
  std::vector<LayoutRow> rows() const;

  /// One transaction each. A layout is added once.
  void add(std::span<const LayoutBounds> bounds);
  void add(const LayoutRow& row);
  /// Of a layout that has been added without its analytic time.
  void tighten(const LayoutBounds& bounds);

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
  const LayoutSpace& space_;
};

}  // namespace stepcast
