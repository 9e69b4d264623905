// A synchronous step waits for the slowest rank.
#pragma once

namespace stepcast {

/// Expected largest of `ranks` independent standard normal values, by Blom's approximation
/// quantile((n - 3/8) / (n + 1/4)), within 1 % of the exact value from n = 2 on; 0 for one rank.
/// A compute time with relative spread s between ranks grows by 1 + s x this: one deterministic
/// term, the same for every rank, so folding stays exact.
/// Source: Blom, Statistical Estimates and Transformed Beta Variables, 1958.
double expected_maximum(int ranks);

}  // namespace stepcast
