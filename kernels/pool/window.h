// Which taps of a window lie within the image, and which windows hold a pixel, along one axis.
#pragma once

#include <algorithm>
#include <cstddef>

namespace bramble::kernels {

struct Interval {
  std::size_t begin;
  std::size_t end;
};

/// Taps k of window `out` with 0 <= out * stride - padding + k < extent.
inline Interval taps_within(std::size_t out, std::size_t extent, std::size_t kernel, std::size_t stride,
                            std::size_t padding) {
  const std::size_t start = out * stride;  // in the padded image
  return {start < padding ? padding - start : 0, std::min(kernel, extent + padding - start)};
}

/// Windows out < count with out * stride - padding <= in < out * stride - padding + kernel.
inline Interval windows_over(std::size_t in, std::size_t count, std::size_t kernel, std::size_t stride,
                             std::size_t padding) {
  const std::size_t place = in + padding;
  const std::size_t first = place < kernel ? 0 : (place - kernel) / stride + 1;
  return {first, std::min(count, place / stride + 1)};
}

}  // namespace bramble::kernels
