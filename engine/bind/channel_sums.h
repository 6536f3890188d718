// How bindings take a BatchNorm's sums of what they write (graph/ops/channel_sums.h), block by block while it is in the
// cache.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/bind/bind.h"
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/gemm/gemm.h"

namespace bramble::engine {

/// `rows` in as many parts as a tensor of sums has, each (but the last) whole groups of eight.
struct SumParts {
  std::int64_t rows = 0;
  std::int64_t count = 1;

  std::int64_t begin(std::int64_t part) const {
    const std::int64_t groups = (rows + 7) / 8;
    return std::min(rows, groups * part / count * 8);
  }
  std::int64_t end(std::int64_t part) const { return begin(part + 1); }
};

/// One part of the tensor of sums: [2][C]. `all` is null where nobody reads them.
struct PartSums {
  PartSums(double* all, std::int64_t part, std::int64_t channel_count)
      : first(all ? all + part * 2 * channel_count : nullptr),
        second(all ? first + channel_count : nullptr),
        channels(channel_count) {}

  void clear(std::int64_t begin, std::int64_t end) const {
    std::fill(first + begin, first + end, 0.0);
    std::fill(second + begin, second + end, 0.0);
  }
  /// Adds rows [row, row_end) of channels [begin, end) of y, which is [rows][channels].
  void add(const float* y, std::int64_t row, std::int64_t row_end, std::int64_t begin, std::int64_t end) const {
    kernels::batchnorm_stats_f32(static_cast<std::size_t>(row_end - row), static_cast<std::size_t>(end - begin),
                                 y + row * channels + begin, static_cast<std::size_t>(channels), first + begin,
                                 second + begin);
  }
  /// Adds a backward's sums of the same rows and channels.
  void add_backward(const kernels::BatchnormBackward& operands, std::int64_t row, std::int64_t row_end,
                    std::int64_t begin, std::int64_t end) const {
    kernels::batchnorm_bwd_reduce_f32(operands, static_cast<std::size_t>(row), static_cast<std::size_t>(row_end),
                                      static_cast<std::size_t>(begin), static_cast<std::size_t>(end), first, second);
  }

  double* first;
  double* second;
  std::int64_t channels;
};

/// Parts [begin, end) of the sums (=) zeros.
inline void clear_parts(double* all, std::int64_t begin, std::int64_t end, std::int64_t channels) {
  std::fill(all + begin * 2 * channels, all + end * 2 * channels, 0.0);
}

/// The normalisation whose mean is input `first`, scale and beta after it.
inline kernels::Normalisation normalisation(const Operands& operands, int first, kernels::Activation activation) {
  return {activation, {operands.in<float>(first), operands.in<float>(first + 1), operands.in<float>(first + 2)}};
}

}  // namespace bramble::engine
