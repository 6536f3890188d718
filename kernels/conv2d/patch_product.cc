#include "kernels/conv2d/patch_product.h"

#include <algorithm>
#include <numeric>

#include "kernels/conv2d/conv2d_blocks.h"
#include "kernels/conv2d/pack_normalised.h"

namespace bramble::kernels {
namespace {

using conv2d::even_block;
using conv2d::product_depth_block;

// Row blocks keep their rows' output offsets on the stack.
constexpr std::int64_t kMaxRowBlock = 256;

// A range of the terms of C's sums, which break after each depth_step of them, and where B's rows for them are: from
// row `first` of panels on.
struct Terms {
  std::int64_t begin = 0, depth = 0, depth_step = 0;
  const float* panels = nullptr;  // that of the slice's first column
  std::int64_t panel_depth = 0, first = 0;
};

// A block of C's rows, and where they begin.
struct RowBlock {
  RowBlock(const PatchProduct& product, std::int64_t from, std::int64_t to) : begin(from), end(to) {
    for (std::int64_t m = begin; m < end; ++m) offsets[m - begin] = product.row_offset(m);
  }
  std::int64_t begin, end;
  std::int64_t offsets[kMaxRowBlock];
};

void multiply_patches(const PatchProduct& product, const RowBlock& rows, const Terms& terms, const ConvSlice& slice,
                      float* scratch) {
  GemmBlock block;
  block.rows = rows.end - rows.begin;
  block.cols = slice.col_end - slice.col_begin;
  block.depth = terms.depth;
  block.depth_step = terms.depth_step;
  block.a = scratch;
  block.b = terms.panels;
  block.b_depth = terms.panel_depth;
  block.b_first = terms.first;
  block.c.data = product.c + slice.col_begin;
  block.c.row_offsets = rows.offsets;
  block.accumulate = terms.begin > 0;
  const std::int64_t end = terms.begin + terms.depth;
  if (product.normalisation) {
    pack_a_normalised_f32(product.normalisation->from(terms.begin).from_row(rows.begin), block.rows, block.depth,
                          product.source + rows.begin * product.grid.pixel_stride + terms.begin,
                          product.grid.pixel_stride, scratch);
  } else {
    pack_patches_f32(product.grid, product.source, rows.begin, rows.end, terms.begin, end, scratch);
  }
  gemm_block_f32(block, end >= product.grid.depth() ? product.epilogue_from(slice.col_begin) : GemmEpilogue{});
}

void multiply_pixels(const PatchProduct& product, std::int64_t row_begin, std::int64_t row_end, const Terms& terms,
                     const ConvSlice& slice) {
  const std::int64_t first = row_begin * product.c_pixel_stride;
  GemmEpilogue epilogue;
  if (terms.begin + terms.depth >= product.grid.depth()) {
    epilogue = product.epilogue_from(slice.col_begin);
    if (epilogue.residual) epilogue.residual += first;
    if (epilogue.preactivation) epilogue.preactivation += first;
  }
  GemmRows block;
  block.rows = row_end - row_begin;
  block.cols = slice.col_end - slice.col_begin;
  block.depth = terms.depth;
  block.depth_step = terms.depth_step;
  block.a = product.source + row_begin * product.grid.pixel_stride + terms.begin;
  block.a_stride = product.grid.pixel_stride;
  block.b = terms.panels;
  block.b_depth = terms.panel_depth;
  block.c = product.c + first + slice.col_begin;
  block.c_stride = product.c_pixel_stride;
  block.accumulate = terms.begin > 0;
  gemm_rows_f32(block, epilogue);
}

template <class Multiply>
void for_row_blocks(const ConvSlice& slice, const ConvBlocking& blocking, std::int64_t tile, const Multiply& multiply) {
  const std::int64_t most = std::min(blocking.rows, kMaxRowBlock) / tile * tile;
  const std::int64_t step = even_block(slice.row_end - slice.row_begin, most, tile);
  for (std::int64_t m = slice.row_begin; m < slice.row_end; m += step) multiply(m, std::min(m + step, slice.row_end));
}

}  // namespace

bool pixels_in_place(const PatchGrid& grid) {
  constexpr std::int64_t kWay = 16 << 10, kFourPlaces = kWay / 4;
  const auto plain = [](const PatchAxis& axis) {
    return axis.taps == 1 && axis.step == 1 && axis.first == 0 && axis.extent == axis.source;
  };
  return plain(grid.y) && plain(grid.x) &&
         std::gcd(grid.pixel_stride * static_cast<std::int64_t>(sizeof(float)), kWay) <= kFourPlaces;
}

void product_f32(const PatchProduct& product, const ConvSlice& slice, const ConvBlocking& blocking, float* scratch) {
  const std::int64_t depth = product.grid.depth(), step = product_depth_block(depth, blocking.depth);
  Terms terms;
  terms.depth_step = step;
  terms.panels = product.b + slice.col_begin * depth;
  terms.panel_depth = depth;
  if (product.rows_in_place()) {
    terms.depth = depth;
    const std::int64_t tile = gemm_rows_whole_tiles(slice.col_end - slice.col_begin);
    return for_row_blocks(slice, blocking, tile, [&](std::int64_t begin, std::int64_t end) {
      multiply_pixels(product, begin, end, terms, slice);
    });
  }
  for_row_blocks(slice, blocking, kGemmTileRows, [&](std::int64_t begin, std::int64_t end) {
    const RowBlock rows(product, begin, end);
    // Once even at depth 0: a by-data phase that no tap reaches still writes its zeros.
    terms.begin = terms.first = 0;
    do {
      terms.depth = depth <= blocking.depth ? depth : std::min(step, depth - terms.begin);
      multiply_patches(product, rows, terms, slice, scratch);
      terms.first = terms.begin += terms.depth;
    } while (terms.begin < depth);
  });
}

void product_terms_f32(const PatchProduct& product, std::int64_t k, std::int64_t depth, const float* panels,
                       const ConvSlice& slice, const ConvBlocking& blocking, float* scratch) {
  const Terms terms{k, depth, round_up(depth, 4), panels, depth, 0};
  if (product.rows_in_place()) {
    const std::int64_t tile = gemm_rows_whole_tiles(slice.col_end - slice.col_begin);
    return for_row_blocks(slice, blocking, tile, [&](std::int64_t begin, std::int64_t end) {
      multiply_pixels(product, begin, end, terms, slice);
    });
  }
  for_row_blocks(slice, blocking, kGemmTileRows, [&](std::int64_t begin, std::int64_t end) {
    multiply_patches(product, RowBlock(product, begin, end), terms, slice, scratch);
  });
}

}  // namespace bramble::kernels
