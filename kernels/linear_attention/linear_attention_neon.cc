// Blocks of rows that stay in L1: what a product needs in another form (cut off at zero, with a column of ones) is
// copied there, and the products are the GEMM's.
#include "kernels/linear_attention/linear_attention.h"

#include <algorithm>

#include "kernels/attention/scratch.h"
#include "kernels/gemm/gemm.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

using attention::ScratchCursor;

/// Rows at a time: at a dim of 32 two copies of them are 34 KiB of L1.
constexpr std::int64_t kBlockRows = 128;

std::int64_t rows_of_block(const LinearAttentionShape& shape) { return std::min(kBlockRows, shape.length); }

/// The copies' row lengths: a GEMM reads eight rows of A, four columns of B at a time.
struct Widths {
  explicit Widths(std::int64_t dim) : left(round_up(dim, kGemmTileRows)), right(linear_attention_state_width(dim)) {}
  std::int64_t left, right;
};

struct ForwardScratch {
  float* left;    ///< k' or q', [block][left]
  float* right;   ///< [v, 1, 0 …], or the products before the division, [block][right]
  float* panels;  ///< B panels of the state

  ForwardScratch(const LinearAttentionShape& shape, ScratchCursor& cursor) {
    const Widths widths(shape.dim);
    left = cursor.take(rows_of_block(shape) * widths.left);
    right = cursor.take(rows_of_block(shape) * widths.right);
    panels = cursor.take(gemm_b_elements(shape.dim, widths.right));
  }
};

struct BackwardScratch {
  float* left;         ///< q' or k', [block][left]
  float* dout;         ///< [block][right]
  float* sums;         ///< the state's last column, [dim]; then dstate's
  float* dstate;       ///< [dim][right]
  float* panels;       ///< B panels of the state transposed, then of dstate
  float* more_panels;  ///< of dstate transposed

  BackwardScratch(const LinearAttentionShape& shape, ScratchCursor& cursor) {
    const Widths widths(shape.dim);
    left = cursor.take(rows_of_block(shape) * widths.left);
    dout = cursor.take(rows_of_block(shape) * widths.right);
    sums = cursor.take(round_up(shape.dim, 4));
    dstate = cursor.take(shape.dim * widths.right);
    panels = cursor.take(gemm_b_elements(widths.right, shape.dim));
    more_panels = cursor.take(gemm_b_elements(shape.dim, shape.dim));
  }
};

/// target row i (=) max(source row first + i, 0), zeros up to `width`.
void copy_positive(const MatrixRows<const float>& source, std::int64_t first, std::int64_t count, std::int64_t dim,
                   std::int64_t width, float* target) {
  for (std::int64_t i = 0; i < count; ++i, target += width) {
    const float* from = source.row(first + i);
    for_each_vector(0, static_cast<std::size_t>(dim), [&](auto lanes, std::size_t d) {
      lanes.store(target + d, vmaxq_f32(lanes.load(from + d), vdupq_n_f32(0)));
    });
    std::fill(target + dim, target + width, 0.0F);
  }
}

/// target row i (=) [factor[i] * source row first + i, last[i], zeros up to `width`].
template <class Factor, class Last>
void copy_extended(const MatrixRows<const float>& source, std::int64_t first, std::int64_t count, std::int64_t dim,
                   std::int64_t width, Factor factor, Last last, float* target) {
  for (std::int64_t i = 0; i < count; ++i, target += width) {
    const float* from = source.row(first + i);
    const float32x4_t scale = vdupq_n_f32(factor(i));
    for_each_vector(0, static_cast<std::size_t>(dim), [&](auto lanes, std::size_t d) {
      lanes.store(target + d, vmulq_f32(lanes.load(from + d), scale));
    });
    target[dim] = last(i);
    std::fill(target + dim + 1, target + width, 0.0F);
  }
}

/// Where source is not positive, target becomes 0.
void mask(const MatrixRows<const float>& source, std::int64_t first, std::int64_t count, std::int64_t dim,
          const MatrixRows<float>& target) {
  for (std::int64_t i = first; i < first + count; ++i) {
    const float* from = source.row(i);
    float* to = target.row(i);
    for_each_vector(0, static_cast<std::size_t>(dim), [&](auto lanes, std::size_t d) {
      const uint32x4_t positive = vcgtq_f32(lanes.load(from + d), vdupq_n_f32(0));
      lanes.store(to + d, vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(lanes.load(to + d)), positive)));
    });
  }
}

float dot(std::int64_t count, const float* a, const float* b) {
  float32x4_t sum = vdupq_n_f32(0);
  for_each_vector(0, static_cast<std::size_t>(count),
                  [&](auto lanes, std::size_t i) { sum = vfmaq_f32(sum, lanes.load(a + i), lanes.load(b + i)); });
  return vaddvq_f32(sum);
}

/// sum[d][e] (=, or += but for the first block) sum over i < count of left[i][d] * right[i][e].
void add_outer(const LinearAttentionShape& shape, std::int64_t count, bool accumulate, const float* left,
               const float* right, float* sum) {
  const Widths widths(shape.dim);
  GemmBlock block;
  block.rows = shape.dim;
  block.cols = widths.right;
  block.depth = count;
  block.a = left;
  block.a_step = widths.left;
  block.b = right;
  block.b_step = widths.right;
  block.c.data = sum;
  block.c.row_stride = widths.right;
  block.c.cached = true;
  block.accumulate = accumulate;
  gemm_block_f32(block);
}

/// c[i][j] (=) bias[j] + sum over k < depth of a[i][k] * B[k][j].
void multiply_rows(std::int64_t rows, std::int64_t cols, std::int64_t depth, const MatrixRows<const float>& a,
                   const float* b, const MatrixRows<float>& c, const float* bias = nullptr) {
  GemmRows product;
  product.rows = rows;
  product.cols = cols;
  product.depth = product.b_depth = depth;
  product.depth_step = kGemmRowsDepth;
  product.a = a.data;
  product.a_stride = a.stride;
  product.b = b;
  product.c = c.data;
  product.c_stride = c.stride;
  gemm_rows_f32(product, {.bias = bias});
}

template <class Value>
MatrixRows<Value> rows_from(const MatrixRows<Value>& matrix, std::int64_t first) {
  return {matrix.row(first), matrix.stride};
}

/// Calls run(first, count) for each block of rows.
template <class Run>
void for_each_block(const LinearAttentionShape& shape, Run run) {
  for (std::int64_t first = 0; first < shape.length; first += kBlockRows)
    run(first, std::min(kBlockRows, shape.length - first));
}

/// dq, and dstate's sum over all rows.
void differentiate_queries(const LinearAttentionShape& shape, const HeadInputs& inputs,
                           const LinearAttentionSaved& saved, const MatrixRows<float>& dq, const BackwardScratch& s) {
  const std::int64_t dim = shape.dim;
  const Widths widths(dim);
  for (std::int64_t d = 0; d < dim; ++d) s.sums[d] = saved.state[d * widths.right + dim];
  gemm_pack_b_trans_f32(widths.right, dim, saved.state, widths.right, s.panels);
  for_each_block(shape, [&](std::int64_t first, std::int64_t count) {
    copy_positive(inputs.q, first, count, dim, widths.left, s.left);
    float inverse[kBlockRows];
    for (std::int64_t i = 0; i < count; ++i) inverse[i] = 1 / (shape.eps + dot(dim, s.left + i * widths.left, s.sums));
    copy_extended(
        saved.dy, first, count, dim, widths.right, [&](std::int64_t i) { return inverse[i]; },
        [&](std::int64_t i) { return -inverse[i] * dot(dim, saved.dy.row(first + i), saved.y.row(first + i)); },
        s.dout);
    add_outer(shape, count, first > 0, s.left, s.dout, s.dstate);
    multiply_rows(count, dim, widths.right, {s.dout, widths.right}, s.panels, rows_from(dq, first));
    mask(inputs.q, first, count, dim, dq);
  });
}

void differentiate_keys_and_values(const LinearAttentionShape& shape, const HeadInputs& inputs,
                                   const HeadGradients& gradients, const BackwardScratch& s) {
  const std::int64_t dim = shape.dim;
  const Widths widths(dim);
  for (std::int64_t d = 0; d < dim; ++d) s.sums[d] = s.dstate[d * widths.right + dim];
  gemm_pack_b_f32(dim, dim, s.dstate, widths.right, s.panels);
  gemm_pack_b_trans_f32(dim, dim, s.dstate, widths.right, s.more_panels);
  for_each_block(shape, [&](std::int64_t first, std::int64_t count) {
    copy_positive(inputs.k, first, count, dim, widths.left, s.left);
    multiply_rows(count, dim, dim, {s.left, widths.left}, s.panels, rows_from(gradients.dv, first));
    multiply_rows(count, dim, dim, rows_from(inputs.v, first), s.more_panels, rows_from(gradients.dk, first), s.sums);
    mask(inputs.k, first, count, dim, gradients.dk);
  });
}

}  // namespace

std::int64_t linear_attention_fwd_scratch_f32(const LinearAttentionShape& shape) {
  ScratchCursor cursor(nullptr);
  ForwardScratch(shape, cursor);
  return cursor.floats();
}

void linear_attention_fwd_f32(const LinearAttentionShape& shape, const HeadInputs& inputs, MatrixRows<float> y,
                              float* state, float* scratch) {
  ScratchCursor cursor(scratch);
  const ForwardScratch s(shape, cursor);
  const std::int64_t dim = shape.dim;
  const Widths widths(dim);
  const auto one = [](std::int64_t) { return 1.0F; };
  for_each_block(shape, [&](std::int64_t first, std::int64_t count) {
    copy_positive(inputs.k, first, count, dim, widths.left, s.left);
    copy_extended(inputs.v, first, count, dim, widths.right, one, one, s.right);
    add_outer(shape, count, first > 0, s.left, s.right, state);
  });
  gemm_pack_b_f32(dim, widths.right, state, widths.right, s.panels);
  for_each_block(shape, [&](std::int64_t first, std::int64_t count) {
    copy_positive(inputs.q, first, count, dim, widths.left, s.left);
    multiply_rows(count, widths.right, dim, {s.left, widths.left}, s.panels, {s.right, widths.right});
    for (std::int64_t i = 0; i < count; ++i) {
      const float* from = s.right + i * widths.right;
      const float32x4_t inverse = vdupq_n_f32(1 / (from[dim] + shape.eps));
      float* to = y.row(first + i);
      for_each_vector(0, static_cast<std::size_t>(dim), [&](auto lanes, std::size_t e) {
        lanes.store(to + e, vmulq_f32(lanes.load(from + e), inverse));
      });
    }
  });
}

std::int64_t linear_attention_bwd_scratch_f32(const LinearAttentionShape& shape) {
  ScratchCursor cursor(nullptr);
  BackwardScratch(shape, cursor);
  return cursor.floats();
}

void linear_attention_bwd_f32(const LinearAttentionShape& shape, const HeadInputs& inputs,
                              const LinearAttentionSaved& saved, const HeadGradients& gradients, float* scratch) {
  ScratchCursor cursor(scratch);
  const BackwardScratch s(shape, cursor);
  differentiate_queries(shape, inputs, saved, gradients.dq, s);
  differentiate_keys_and_values(shape, inputs, gradients, s);
}

}  // namespace bramble::kernels
