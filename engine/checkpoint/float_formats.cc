#include "engine/checkpoint/float_formats.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

namespace bramble::engine {
namespace {

float from_half(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fU;
  const std::uint32_t fraction = half & 0x3ffU;
  if (exponent == 0) {  // zero, or a subnormal: fraction * 2^-24, exact in float
    const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t widened = exponent == 31 ? 255 : exponent + (127 - 15);
  return std::bit_cast<float>(sign | widened << 23 | fraction << 13);
}

float from_bfloat(std::uint16_t value) { return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16); }

/// value >> bits, rounded to nearest, ties to even.
std::uint32_t round_shift(std::uint32_t value, int bits) {
  const std::uint32_t half = 1U << (bits - 1);
  const std::uint32_t odd = (value >> bits) & 1U;
  return (value + half - 1 + odd) >> bits;
}

std::uint16_t to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  if (magnitude > 0x7f800000U) return static_cast<std::uint16_t>(sign | 0x7e00U);  // NaN
  if (magnitude >= 0x477ff000U) return static_cast<std::uint16_t>(sign | 0x7c00U);  // 65520 and above: infinity
  if (magnitude < 0x38800000U) {  // below 2^-14: a subnormal, in units of 2^-24
    const float units = std::nearbyint(std::ldexp(std::bit_cast<float>(magnitude), 24));
    return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(units));
  }
  return static_cast<std::uint16_t>(sign | round_shift(magnitude - (112U << 23), 13));
}

std::uint16_t to_bfloat(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 0x40U);
  return static_cast<std::uint16_t>(round_shift(bits, 16));
}

template <class Stored, class Widen>
void widen_all(std::span<const std::byte> bytes, std::span<float> values, Widen widen) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = widen(stored);
  }
}

template <class Narrow>
std::vector<std::byte> narrow_all(std::span<const float> values, Narrow narrow) {
  std::vector<std::byte> bytes(values.size() * 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t stored = narrow(values[i]);
    std::memcpy(bytes.data() + i * 2, &stored, 2);
  }
  return bytes;
}

}  // namespace

bool to_floats(std::string_view dtype, std::span<const std::byte> bytes, std::span<float> values) {
  if (dtype == "F32") {
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  } else if (dtype == "F16") {
    widen_all<std::uint16_t>(bytes, values, from_half);
  } else if (dtype == "BF16") {
    widen_all<std::uint16_t>(bytes, values, from_bfloat);
  } else if (dtype == "F64") {
    widen_all<double>(bytes, values, [](double value) { return static_cast<float>(value); });
  } else {
    return false;
  }
  return true;
}

std::vector<std::byte> from_floats(std::string_view dtype, std::span<const float> values) {
  if (dtype == "F16") return narrow_all(values, to_half);
  if (dtype == "BF16") return narrow_all(values, to_bfloat);
  if (dtype != "F32") throw std::invalid_argument("floats cannot be stored as " + std::string(dtype));
  const auto bytes = std::as_bytes(values);
  return {bytes.begin(), bytes.end()};
}

}  // namespace bramble::engine
