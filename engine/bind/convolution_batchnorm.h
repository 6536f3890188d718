// Convolutions that take over what a BatchNorm beside them would do in passes of its own: its sums on the way out, its
// normalisation on the way in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/bind/bind.h"
#include "engine/bind/channel_sums.h"
#include "graph/ops/conv2d.h"
#include "kernels/conv2d/conv2d.h"

namespace bramble::engine {

/// As bind_convolution for a conv2d node (inputs mean, scale, beta from 4 on, the gate 7; output 2 the channel sums).
Bound bind_convolution_batchnorm(const BindContext& context, const kernels::Conv2dShape& shape,
                                 const graph::Conv2dAttributes& attributes);

/// A slice's rows and columns of dy [rows][channels], `dy` its first element, made of input 0, the gradient before a
/// BatchNorm's backward, with rows `stride` apart: that one's x is input `gradient_input`, its coefficients are the
/// next one.
void normalise_gradient(const Operands& operands, int gradient_input, kernels::Activation activation,
                        std::int64_t channels, std::int64_t stride, const kernels::ConvSlice& slice, float* dy);

/// Whole parts of the sums, some of the columns.
struct SumTask {
  std::int64_t part_begin = 0, part_end = 0;
  kernels::ConvSlice slice;
};

/// Tasks that keep four cores evenly busy with tiles of `tile_rows` rows.
std::vector<SumTask> cut_sums(std::int64_t cols, std::int64_t groups, const SumParts& parts, std::int64_t tile_rows);

/// Runs `product(row_begin, row_end)` over a task's rows in whole tiles, and each time that a block of its parts' sums, of
/// `step` rows, is complete, `sum(part, row_begin, row_end)`, while its rows are in L2. The sums' blocks decide bits and
/// end where their parts do, tiles do not.
template <class Product, class Sum>
void follow_with_sums(const SumTask& task, const SumParts& parts, std::int64_t step, std::int64_t tile_rows,
                      const Product& product, const Sum& sum) {
  const std::int64_t first = task.slice.row_begin;
  std::int64_t row = first;
  for (std::int64_t part = task.part_begin; part < task.part_end; ++part) {
    for (std::int64_t begin = parts.begin(part); begin < parts.end(part); begin += step) {
      const std::int64_t end = std::min(begin + step, parts.end(part));
      const std::int64_t tiles_end =
          std::min(first + kernels::round_up(end - first, tile_rows), task.slice.row_end);
      if (tiles_end > row) product(row, tiles_end);
      row = std::max(row, tiles_end);
      sum(part, begin, end);
    }
  }
}

/// Rows of one block of a fused pass: that many that `row_elements` floats a row stay in five eighths of L2, in whole tiles.
std::int64_t fused_row_block(const BindContext& context, std::int64_t row_elements,
                             const kernels::ConvBlocking& blocking);

}  // namespace bramble::engine
