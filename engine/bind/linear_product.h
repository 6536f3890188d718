// A linear layer's product, C = A * B for all leading dimensions of A as rows, cut into tasks. B is a packed weight
// (packed_weight.h), or its transpose packed likewise.
#pragma once

#include <cstdint>

#include "graph/tensor.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/gemm/gemm.h"
#include "kernels/linear/linear.h"

namespace bramble::engine {

/// All dimensions but the last.
std::int64_t rows_of(const graph::Shape& shape);

/// The same as a 1 x 1 convolution: all rows are one row of pixels.
kernels::Conv2dShape as_convolution(const kernels::LinearShape& linear);

struct LinearProduct {
  LinearProduct(std::int64_t product_rows, std::int64_t product_cols, std::int64_t product_depth);

  /// What one task computes.
  struct Block {
    std::int64_t row_begin, row_end, col_begin, col_end;
  };

  std::int64_t tasks() const { return row_tasks * col_tasks; }
  /// Terms after which sums break.
  std::int64_t depth_step() const;
  Block block(std::int64_t task) const;

  /// One task's part of C; the epilogue's operands are those of the whole product, and lie like C.
  void run(std::int64_t task, const float* a, const float* b, float* c, kernels::GemmEpilogue epilogue) const;

  std::int64_t rows, cols, depth;
  std::int64_t a_stride, c_stride;  // dense unless set
  std::int64_t row_tasks, col_tasks;

 private:
  std::int64_t tile_rows() const;
  std::int64_t tiles() const;   // of rows
  std::int64_t panels() const;  // of columns
};

}  // namespace bramble::engine
