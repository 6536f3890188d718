// How passes over a tensor are cut into tasks: by shape alone, never by the number of threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace bramble::engine {

/// The rows [0, rows) in `count` ranges of whole groups of `unit` rows, which differ by one group at most: four cores
/// that take a multiple of four of them are done together.
struct Slices {
  std::size_t rows = 0;
  std::size_t unit = 1;
  std::int64_t count = 0;

  std::size_t begin(std::int64_t task) const {
    const std::size_t groups = (rows + unit - 1) / unit;
    return std::min(rows, groups * static_cast<std::size_t>(task) / static_cast<std::size_t>(count) * unit);
  }
  std::size_t end(std::int64_t task) const { return begin(task + 1); }
};

inline constexpr std::size_t kLeastSliceElements = 8192;

/// Up to 64 slices (16 tasks a core: the last one's wait is short, and partial sums stay few), of at least 8192
/// elements, below which waking a thread costs more than it saves, and of whole groups of `unit` rows; of more than
/// four a multiple of four.
inline Slices slice_rows(std::size_t rows, std::size_t row_elements, std::size_t unit) {
  constexpr std::size_t kMost = 64, kCores = 4;
  const std::size_t wanted = std::clamp<std::size_t>(rows * row_elements / kLeastSliceElements, 1, kMost);
  std::size_t count = std::clamp<std::size_t>((rows + unit - 1) / unit, 1, wanted);
  if (count > kCores) count = count / kCores * kCores;
  return {rows, unit, static_cast<std::int64_t>(count)};
}

/// Of groups of four rows, which kernels take together, or of any where four fill a slice.
inline Slices slice_rows(std::size_t rows, std::size_t row_elements) {
  constexpr std::size_t kTogether = 4;
  return slice_rows(rows, row_elements, kTogether * row_elements < kLeastSliceElements ? kTogether : 1);
}

/// A range of single elements, in whole cache lines.
inline Slices slice_elements(std::size_t elements) { return slice_rows(elements, 1, 16); }

/// Per-channel vectors in a few lines each, for the short steps between two passes that have `work` per channel.
inline Slices slice_channels(std::size_t channels, std::size_t work = 1) { return slice_rows(channels, work, 16); }

}  // namespace bramble::engine
