// What a sweep knows of a layout: its bounds, and what was predicted of it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "sim/search/goal.h"
#include "sim/step_report.h"

namespace stepcast {

/// Lower bounds of a layout's figures. `step_time` is zero where memory alone rules it out.
struct LayoutBounds {
  std::size_t layout = 0;
  LayoutFigures figures;
  /// The analytic engine's step time, which is the tightest bound: that of the figures where it was
  /// cheap to have, else empty until it is asked for.
  std::optional<Seconds> analytic;
  std::string error;  ///< why there are none
};

/// The prediction of a layout, or why there is none.
struct LayoutRow {
  std::size_t layout = 0;
  LayoutFigures figures;
  double tokens_per_s = 0;
  double mfu = 0;
  double bubble_fraction = 0;
  std::optional<CostReport> cost;
  std::string engine;  ///< "event" or "analytic"
  bool certified = false;
  std::string bottleneck;
  std::string error;
};

LayoutRow row_of(std::size_t layout, const StepReport& report);

template <class Wire>
void pass(Wire& wire, LayoutBounds& bounds) {
  auto& [layout, figures, analytic, error] = bounds;
  pass(wire, layout);
  pass(wire, figures);
  pass(wire, analytic);
  pass(wire, error);
}

template <class Wire>
void pass(Wire& wire, LayoutRow& row) {
  auto& [layout, figures, tokens_per_s, mfu, bubble_fraction, cost, engine, certified, bottleneck,
         error] = row;
  const auto each = [&wire](auto&... members) { (pass(wire, members), ...); };
  each(layout, figures, tokens_per_s, mfu, bubble_fraction, cost, engine, certified, bottleneck,
       error);
}

}  // namespace stepcast
