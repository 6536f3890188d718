#include "engine/bind/linear_product.h"

#include <algorithm>

#include "engine/bind/product_cuts.h"

namespace bramble::engine {
namespace {

using kernels::kGemmRowsTile;
using kernels::kGemmTileCols;

// A task's rows of A, read again for each group of B panels, stay in half of L2.
constexpr std::int64_t kTaskFloats = (256 << 10) / sizeof(float);
// Weights beyond this do not stay in a core's share of L3. Every row task streams all that its columns need of them, so
// they are cut into blocks both ways: this high and this wide, C's block and a step of A's and B's depth fit L2.
constexpr std::int64_t kLargeWeight = (512 << 10) / sizeof(float);
constexpr std::int64_t kBlockTiles = 16;
constexpr std::int64_t kBlockPanels = 16;

// Multiply-adds of a product whose tasks take so short a time that no more of them are made than cores need.
constexpr std::int64_t kSmallProduct = 2 << 20;
constexpr std::int64_t kFewestTasks = 4;

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

std::int64_t rows_of(const graph::Shape& shape) { return graph::element_count(shape) / shape.back(); }

kernels::Conv2dShape as_convolution(const kernels::LinearShape& linear) {
  kernels::Conv2dShape shape;
  shape.in_channels = linear.in;
  shape.in_width = linear.rows;
  shape.out_channels = linear.out;
  return shape;
}

LinearProduct::LinearProduct(std::int64_t product_rows, std::int64_t product_cols, std::int64_t product_depth)
    : rows(product_rows), cols(product_cols), depth(product_depth), a_stride(product_depth), c_stride(product_cols) {
  if (cols * depth > kLargeWeight) {
    row_tasks = ceil_div(tiles(), kBlockTiles);
    if (row_tasks > 2) row_tasks = kernels::round_up(row_tasks, 4);
    col_tasks = std::min(std::max(ceil_div(panels(), kBlockPanels), ceil_div(kTaskGoal, row_tasks)), panels());
    return;
  }
  // Whole columns, so that A is fetched once; narrower only where there are too few rows for four cores. A multiple
  // of four row tasks, which differ by one tile at most.
  const std::int64_t fewest = rows * depth * cols < kSmallProduct ? kFewestTasks : kTaskGoal;
  const std::int64_t goal = std::max(fewest, ceil_div(rows * depth, kTaskFloats));
  row_tasks = std::min(kernels::round_up(goal, 4), tiles());
  col_tasks = std::clamp<std::int64_t>(fewest / row_tasks, 1, panels());
}

std::int64_t LinearProduct::tile_rows() const {
  return kernels::gemm_rows_wide_cols(cols) == cols ? kernels::gemm_rows_whole_tiles(cols) : kGemmRowsTile;
}
// One row more than tiles have goes with the last one, of seven, of which the kernel makes two of four rows.
std::int64_t LinearProduct::tiles() const {
  const std::int64_t over = tile_rows() == kGemmRowsTile ? 1 : 0;
  return std::max<std::int64_t>(1, ceil_div(rows - over, tile_rows()));
}
std::int64_t LinearProduct::panels() const { return ceil_div(cols, kGemmTileCols); }

std::int64_t LinearProduct::depth_step() const {
  const std::int64_t sums = std::max<std::int64_t>(1, ceil_div(depth, kernels::kGemmRowsDepth));
  return kernels::round_up(ceil_div(depth, sums), 4);
}

LinearProduct::Block LinearProduct::block(std::int64_t task) const {
  const auto row = [&](std::int64_t i) {
    return i == row_tasks ? rows : std::min(tiles() * i / row_tasks * tile_rows(), rows);
  };
  const auto col = [&](std::int64_t i) { return std::min(panels() * i / col_tasks * kGemmTileCols, cols); };
  return {row(task % row_tasks), row(task % row_tasks + 1), col(task / row_tasks), col(task / row_tasks + 1)};
}

void LinearProduct::run(std::int64_t task, const float* a, const float* b, float* c,
                        kernels::GemmEpilogue epilogue) const {
  const Block part = block(task);
  const std::int64_t at = part.row_begin * c_stride + part.col_begin;
  if (epilogue.bias) epilogue.bias += part.col_begin;
  if (epilogue.scale) epilogue.scale += part.col_begin;
  if (epilogue.residual) epilogue.residual += at;
  if (epilogue.preactivation) epilogue.preactivation += at;
  if (epilogue.gelu_input) epilogue.gelu_input += at;
  kernels::GemmRows product;
  product.rows = part.row_end - part.row_begin;
  product.cols = part.col_end - part.col_begin;
  product.depth = depth;
  product.depth_step = depth_step();
  product.a = a + part.row_begin * a_stride;
  product.a_stride = a_stride;
  product.b = b + part.col_begin * depth;
  product.b_depth = depth;
  product.c = c + at;
  product.c_stride = c_stride;
  kernels::gemm_rows_f32(product, epilogue);
}

}  // namespace bramble::engine
