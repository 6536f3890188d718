// A linear layer's product, C = A * B for all leading dimensions of A as rows, cut into tasks. B is a packed weight
// (packed_weight.h), or its transpose packed likewise.
#pragma once

#include <cstdint>

#include "kernels/gemm/gemm.h"

namespace bramble::engine {

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

  /// One task's part of C, dense [rows][cols]; the epilogue's operands are those of the whole product.
  void run(std::int64_t task, const float* a, const float* b, float* c, kernels::GemmEpilogue epilogue) const;

  std::int64_t rows, cols, depth;
  std::int64_t row_tasks, col_tasks;

 private:
  std::int64_t tiles() const;   // of rows
  std::int64_t panels() const;  // of columns
};

}  // namespace bramble::engine
