// Quantities as text, both ways: "400 Gbit/s", "80 GiB", "12.3 s". k, M, G, T are powers of ten;
// Ki, Mi, Gi, Ti powers of two; bits exist only here and in the _Gbit_per_s literal.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/units.h"

namespace stepcast {

/// Text to quantity; empty where the text is not a finite number >= 0 followed by a unit of that
/// dimension. Exactly one space or none between number and unit; the number has digits before its
/// point and after it ("0.5", not ".5"), and may have an exponent ("5e+10").
std::optional<Bytes> parse_bytes(std::string_view text);               // B kB .. TB, KiB .. TiB
std::optional<Seconds> parse_seconds(std::string_view text);           // ns us ms s min h
std::optional<BytesPerSecond> parse_bandwidth(std::string_view text);  // B/s .. TB/s, KiB/s ..
                                                                       // TiB/s, bit/s .. Tbit/s
std::optional<FlopPerSecond> parse_flop_rate(std::string_view text);   // FLOP/s, MFLOP/s .. EFLOP/s
std::optional<Flop> parse_flop(std::string_view text);                 // FLOP, MFLOP .. EFLOP
std::optional<Watts> parse_watts(std::string_view text);               // W kW MW
std::optional<double> parse_usd(std::string_view text);                // USD

/// For people: three or four significant digits, scaled ("12.3 s", "41.7 GiB", "24 GB/s").
std::string to_text(Bytes amount);  // binary units
std::string to_text(Seconds time);
std::string to_text(BytesPerSecond rate);
std::string to_text(FlopPerSecond rate);
std::string to_text(Flop amount);

/// For files: the shortest text in the base unit that reads back to the same double ("0.5 s",
/// "85899345920 B", "5e+10 B/s"). Requires a finite amount >= 0, which is what can be read.
std::string exact_text(Bytes amount);
std::string exact_text(Seconds time);
std::string exact_text(BytesPerSecond rate);
std::string exact_text(FlopPerSecond rate);
std::string exact_text(Flop amount);
std::string exact_text(Watts power);

}  // namespace stepcast
