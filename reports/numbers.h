// Plain numbers as people read them: counts, shares, factors, money. Quantities with a unit are
// base/unit_text.h's job.
#pragma once

#include <cstdint>
#include <string>

#include "base/units.h"

namespace stepcast {

/// All digits, in groups of three: "12,288".
std::string count_text(std::int64_t count);

/// Three significant digits below a thousand, four above: "0.854", "12.3", "85,310".
std::string rounded_text(double number);

/// "48.1 %"; a share that is neither 0 nor 1 never reads as such: "< 0.1 %", "> 99.9 %".
std::string share_text(double share);

/// With its sign: "+4.6 %", "-12 %", "0 %".
std::string signed_share_text(double share);

/// With its sign: "+1.2 s", "-340 ms", "0 s".
std::string signed_text(Seconds time);
std::string signed_text(double number);

/// "1.9x", "2x".
std::string factor_text(double factor);

/// "262.16 USD" below a thousand, else four significant digits.
std::string usd_text(double usd);

/// "36.5 h", from two days up "4,560 h (190 days)".
std::string hours_text(double hours);

/// One '#' for each 2.5 % of the whole.
std::string share_bar(double share);

}  // namespace stepcast
