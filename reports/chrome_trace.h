// A step as a trace that Chrome's about:tracing and Perfetto open: Google's Trace Event Format.
#pragma once

#include <iosfwd>

#include "sim/predict.h"

namespace stepcast {

/// Writes the trace as it goes, so that its size is the disk's affair. One process for each rank
/// class (every rank of it does the same), in it
///
///   a thread a stream     slices for passes, collectives, messages and waits, with micro-batch and
///                         model chunk as arguments
///   where the step goes   of the critical class only: slices by activity without gaps, which add
///                         up to the report's breakdown
///
/// an arrow from each pipeline message's sender to its receiver, and counters: the bytes that a
/// rank's tensors take, after every change, and in a process "links" the share of its bandwidth
/// that the step takes of each link class, as sim/link_use.h counts it. Times are microseconds, as
/// the format has them. `otherData` holds the step's time and the critical class. Source: Trace
/// Event Format, Google, 2016 (the JSON object format).
void write_chrome_trace(std::ostream& out, const SimulatedStep& step);

}  // namespace stepcast
