// Floating-point numbers as files store them, to and from float32.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace bramble::engine {

/// `values` = the numbers in `bytes`, stored as `dtype` ("F32", "F16", "BF16" or "F64", F64 rounded to nearest).
/// False, and nothing is written, for any other dtype. Sizes must agree.
bool to_floats(std::string_view dtype, std::span<const std::byte> bytes, std::span<float> values);

/// The way back, rounded to nearest, ties to even; "F32", "F16" or "BF16". Throws std::invalid_argument for another.
std::vector<std::byte> from_floats(std::string_view dtype, std::span<const float> values);

}  // namespace bramble::engine
