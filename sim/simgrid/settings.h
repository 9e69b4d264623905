// SimGrid's configuration: the one place that sets it.
#pragma once

#include <span>
#include <string_view>

namespace stepcast {

/// Every setting as SimGrid takes it ("network/model:CM02"). Why each: docs/decisions/0001.
std::span<const std::string_view> simgrid_settings();

/// Applies them. Before the platform is built.
void apply_simgrid_settings();

}  // namespace stepcast
