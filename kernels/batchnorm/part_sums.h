// Totals of a BatchNorm's sums, which come in parts (batchnorm.h). Include from _neon.cc files only.
#pragma once

#include <algorithm>
#include <cstddef>

namespace bramble::kernels {

/// [parts][2][channels]
struct PartSums {
  const double* first;
  std::size_t parts;
  std::size_t channels;
};

/// each(c, total of the first sums, total of the second ones), parts added in their order. A line of eight channels at a
/// time: the parts' rows are powers of two apart in most models, and fall on each other in the caches before the next
/// channel of the line would be read.
template <class Each>
void for_each_total(const PartSums& sums, std::size_t begin, std::size_t end, const Each& each) {
  constexpr std::size_t kLine = 8;
  for (std::size_t c = begin; c < end; c += kLine) {
    const std::size_t count = std::min(kLine, end - c);
    double first[kLine] = {}, second[kLine] = {};
    const double* row = sums.first + c;
    for (std::size_t part = 0; part < sums.parts; ++part, row += 2 * sums.channels) {
      for (std::size_t i = 0; i < count; ++i) first[i] += row[i];
      for (std::size_t i = 0; i < count; ++i) second[i] += row[sums.channels + i];
    }
    for (std::size_t i = 0; i < count; ++i) each(c + i, first[i], second[i]);
  }
}

}  // namespace bramble::kernels
