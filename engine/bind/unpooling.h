// What a max pooling gives back, made a few rows at a time by whoever reads it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "graph/ops/pool.h"
#include "kernels/pool/pool.h"

namespace bramble::engine {

kernels::PoolShape pool_shape(const graph::Pool2dAttributes& attributes, const graph::TensorSpec& x,
                              const graph::TensorSpec& y);

/// Rows of an image of the pooling's x, `row_elements` floats each, that stay in L2 beside as much of another tensor.
std::size_t rows_in_cache(std::size_t row_elements, std::size_t l2_bytes);

class Unpooling {
 public:
  Unpooling(const kernels::PoolShape& shape, std::size_t l2_bytes)
      : shape_(shape), step_(rows_in_cache(shape.width * shape.channels, l2_bytes)) {}

  std::size_t scratch_bytes() const { return step_ * shape_.width * shape_.channels * sizeof(float); }

  /// For pixels [begin, end) of the pooling's x, whole rows of its images: calls run(first pixel, pixels) for a few
  /// rows at a time, whose gradient then lies in `scratch`.
  template <class Run>
  void for_each_block(const float* dy, const std::uint8_t* argmax, std::size_t begin, std::size_t end, float* scratch,
                      Run run) const {
    for (std::size_t row = begin / shape_.width, last = end / shape_.width; row < last; row += step_) {
      const std::size_t rows = std::min(step_, last - row);
      kernels::max_pool2d_bwd_f32(shape_, row, row + rows, dy, argmax, scratch, row);
      run(row * shape_.width, rows * shape_.width);
    }
  }

 private:
  kernels::PoolShape shape_;
  std::size_t step_;
};

}  // namespace bramble::engine
