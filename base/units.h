// Quantities as strong types, each a double in its base unit, so that bytes and bits, seconds and
// milliseconds cannot be mixed. Text ("400 Gbit/s") is unit_text.h's job.
#pragma once

#include <compare>

namespace stepcast {

/// A number with a dimension. `Unit` is a tag; equal dimensions add and compare, like by like is a
/// plain double, and the few products that the project needs are declared below.
template <class Unit>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(double value) : value_(value) {}

  /// The bare number in the base unit: for JSON, SimGrid, printing and nothing else.
  constexpr double value() const { return value_; }

  friend constexpr auto operator<=>(Quantity, Quantity) = default;

  constexpr Quantity operator-() const { return Quantity(-value_); }
  constexpr Quantity& operator+=(Quantity other) { return *this = *this + other; }
  constexpr Quantity& operator-=(Quantity other) { return *this = *this - other; }
  constexpr Quantity& operator*=(double factor) { return *this = *this * factor; }

  friend constexpr Quantity operator+(Quantity a, Quantity b) {
    return Quantity(a.value_ + b.value_);
  }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    return Quantity(a.value_ - b.value_);
  }
  friend constexpr Quantity operator*(Quantity a, double b) { return Quantity(a.value_ * b); }
  friend constexpr Quantity operator*(double a, Quantity b) { return Quantity(a * b.value_); }
  friend constexpr Quantity operator/(Quantity a, double b) { return Quantity(a.value_ / b); }
  friend constexpr double operator/(Quantity a, Quantity b) { return a.value_ / b.value_; }

 private:
  double value_ = 0.0;
};

using Bytes = Quantity<struct ByteUnit>;
using Seconds = Quantity<struct SecondUnit>;
using Flop = Quantity<struct FlopUnit>;
using BytesPerSecond = Quantity<struct BytePerSecondUnit>;
using FlopPerSecond = Quantity<struct FlopPerSecondUnit>;
using Watts = Quantity<struct WattUnit>;
using Joules = Quantity<struct JouleUnit>;

constexpr Seconds operator/(Bytes amount, BytesPerSecond rate) {
  return Seconds(amount.value() / rate.value());
}
constexpr Seconds operator/(Flop amount, FlopPerSecond rate) {
  return Seconds(amount.value() / rate.value());
}
constexpr BytesPerSecond operator/(Bytes amount, Seconds time) {
  return BytesPerSecond(amount.value() / time.value());
}
constexpr FlopPerSecond operator/(Flop amount, Seconds time) {
  return FlopPerSecond(amount.value() / time.value());
}
constexpr Bytes operator*(BytesPerSecond rate, Seconds time) {
  return Bytes(rate.value() * time.value());
}
constexpr Bytes operator*(Seconds time, BytesPerSecond rate) { return rate * time; }
constexpr Flop operator*(FlopPerSecond rate, Seconds time) {
  return Flop(rate.value() * time.value());
}
constexpr Joules operator*(Watts power, Seconds time) {
  return Joules(power.value() * time.value());
}

// `v` is the number as written; small units divide, since 1e-6 is not exact and 1e6 is: 3_us is
// then the double nearest to 3e-6, the same that the text "3 us" gives.
#define STEPCAST_LITERAL(suffix, Type, in_base_unit)               \
  constexpr auto operator""_##suffix(long double written) {        \
    const double v = static_cast<double>(written);                 \
    return Type(in_base_unit);                                     \
  }                                                                \
  constexpr auto operator""_##suffix(unsigned long long written) { \
    const double v = static_cast<double>(written);                 \
    return Type(in_base_unit);                                     \
  }

inline namespace literals {
STEPCAST_LITERAL(B, Bytes, v)
STEPCAST_LITERAL(kB, Bytes, v * 1e3)
STEPCAST_LITERAL(MB, Bytes, v * 1e6)
STEPCAST_LITERAL(GB, Bytes, v * 1e9)
STEPCAST_LITERAL(KiB, Bytes, v * 1024.0)
STEPCAST_LITERAL(MiB, Bytes, v * 1048576.0)
STEPCAST_LITERAL(GiB, Bytes, v * 1073741824.0)
STEPCAST_LITERAL(s, Seconds, v)
STEPCAST_LITERAL(ms, Seconds, v / 1e3)
STEPCAST_LITERAL(us, Seconds, v / 1e6)
STEPCAST_LITERAL(ns, Seconds, v / 1e9)
STEPCAST_LITERAL(GFLOP, Flop, v * 1e9)
STEPCAST_LITERAL(TFLOP, Flop, v * 1e12)
STEPCAST_LITERAL(TFLOP_per_s, FlopPerSecond, v * 1e12)
STEPCAST_LITERAL(B_per_s, BytesPerSecond, v)
STEPCAST_LITERAL(GB_per_s, BytesPerSecond, v * 1e9)
STEPCAST_LITERAL(Gbit_per_s, BytesPerSecond, v * 1e9 / 8)
STEPCAST_LITERAL(W, Watts, v)
}  // namespace literals

#undef STEPCAST_LITERAL

}  // namespace stepcast
